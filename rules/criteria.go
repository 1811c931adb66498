package rules

import "github.com/jitsuin/jitsuin"

// Measure is the half of the accreditation criteria (認定基準) that a criterion belongs to.
type Measure string

const (
	SystemMeasure       Measure = "system"       // システム上の措置
	OrganisationMeasure Measure = "organisation" // 組織・人的な措置
)

// Criterion is one item that an operator shows evidence for before it is accredited as a verifier
// (署名検証者の認定), and again at each yearly audit. The ID of its Rule is "criterion-" and Key.
type Criterion struct {
	Key     string
	Measure Measure
	// Shape tells that no source names the item for this accreditation: it is taken from the sister rule for
	// certifying services (特定認証業務).
	Shape bool
	// Evidence is what counts: a paper of at least one of these sorts.
	Evidence []Text
	Rule
}

// Keys of the criteria. The first seven are those that the public slides name.
const (
	CriterionIntrusion      = "intrusion"
	CriterionOperators      = "operators"
	CriterionRecords        = "operation-records"
	CriterionProcedures     = "procedures"
	CriterionAudit          = "audit"
	CriterionSecrecy        = "secrecy"
	CriterionResponsible    = "responsible-person"
	CriterionRooms          = "rooms"
	CriterionCommand        = "chain-of-command"
	CriterionOutsourcing    = "outsourcing"
	CriterionStaff          = "skilled-staff"
	CriterionPurpose        = "purpose-limit"
	CriterionCrisis         = "crisis"
	criterionShapeNote      = "Read for certifying services (Act art. 17(1)(v)) in the text of 2013; that verifiers under item (vi) are asked the same is our reading."
	criterionEvidenceChosen = "The slides name the item and not its evidence; which papers count is our reading."
)

// Criteria lists the accreditation criteria (認定基準): the items of the public slides first, then those that only the sister
// rule has. The list is the caller's own.
func Criteria() []Criterion { return append(criteriaOfSlides(), criteriaOfShape()...) }

// CriteriaOn gives the criteria that an application on a day is examined against.
func CriteriaOn(on jitsuin.Date) []Criterion {
	var all []Criterion
	for _, c := range Criteria() {
		if c.InForce.Covers(on) {
			all = append(all, c)
		}
	}
	return all
}

// CriterionOf gives a criterion by its key, in force on a day; Invalid "criterion-unknown" for any other word.
func CriterionOf(key string, on jitsuin.Date) (Criterion, error) {
	for _, c := range CriteriaOn(on) {
		if c.Key == key {
			return c, nil
		}
	}
	return Criterion{}, jitsuin.Errorf(jitsuin.Invalid, "criterion-unknown", "%q is no accreditation criterion on %v", key, on).At("criterion")
}

func criterion(key string, m Measure, ja, en string, s Source, evidence ...Text) Criterion {
	return Criterion{Key: key, Measure: m, Evidence: evidence, Rule: Rule{ID: "criterion-" + key, InForce: since(2016, 1, 1), Text: Text{ja, en}, Source: s}}
}

func criteriaOfSlides() []Criterion {
	system := cite(founding, "（プラットフォーム事業者・認定基準①）", "platform operators, criteria 1", Official, criterionEvidenceChosen)
	people := cite(founding, "（プラットフォーム事業者・認定基準②）", "platform operators, criteria 2", Official, criterionEvidenceChosen)
	return []Criterion{
		criterion(CriterionIntrusion, SystemMeasure, "不正アクセス等を防止する措置を講じていること。", "Measures prevent unauthorised access.", system,
			Text{"ネットワーク構成図と通信制御の設定", "network plan with the rules of what may pass"}, Text{"脆弱性診断の結果と対応", "result of a vulnerability assessment and what was done"}),
		criterion(CriterionOperators, SystemMeasure, "担当者以外が設備を操作できないような措置を講じていること。", "Nobody but the persons in charge can operate the system.", system,
			Text{"権限の一覧と付与・剥奪の手順", "list of permissions, and how they are given and taken away"}, Text{"操作者の本人確認の方法", "how operators are authenticated"}),
		criterion(CriterionRecords, SystemMeasure, "システムの動作の記録を取得し、保存していること。", "Records of the system's operation are taken and kept.", system,
			Text{"動作記録の項目・保存期間・改ざん防止の方法", "what is logged, how long it is kept, and how changes are found"}, Text{"動作記録の見本", "a sample of the log"}),
		criterion(CriterionProcedures, OrganisationMeasure, "従事者の責任を定めた業務手順書を備えていること。", "Written procedures fix the duties of the staff.", people,
			Text{"業務手順書", "the written procedures"}),
		criterion(CriterionAudit, OrganisationMeasure, "監査の実施を業務手順書に定めていること。", "The written procedures provide for audits.", people,
			Text{"監査計画", "the audit plan"}, Text{"監査人の独立性を示す書面", "a paper that shows that the auditor is independent"}),
		criterion(CriterionSecrecy, OrganisationMeasure, "他の事業者と業務を行う際の秘密保持を定めていること。", "Confidentiality is agreed where others take part in the work.", people,
			Text{"秘密保持契約の写し", "copy of the confidentiality agreement"}, Text{"秘密保持に関する規程", "the rules on confidentiality"}),
		criterion(CriterionResponsible, OrganisationMeasure, "責任者を明確にしていること。", "It is laid down by name who is responsible.", people,
			Text{"責任者の選任を示す書面", "the paper that appoints the person"}, Text{"体制図", "chart of the organisation"}),
	}
}

func criteriaOfShape() []Criterion {
	shape := cite(regJPKI, "25条・26条", "arts. 25 and 26", OurReading, criterionShapeNote)
	all := []Criterion{
		criterion(CriterionRooms, SystemMeasure, "設備を置く室への立入りの許可及び識別符号を管理していること。", "Access to the rooms of the equipment is by permission, and credentials are managed.", shape,
			Text{"入退室管理の規程と記録の見本", "rules of access to the rooms with a sample of the record"}),
		criterion(CriterionCommand, OrganisationMeasure, "業務に従事する者の責任・権限・指揮命令系統を定めていること。", "Responsibility, authority and chain of command of the staff are laid down.", shape,
			Text{"職務権限規程", "the rules on authority"}, Text{"体制図", "chart of the organisation"}),
		criterion(CriterionOutsourcing, OrganisationMeasure, "業務を委託する場合の範囲・内容及び管理の方法を定めていること。", "What is entrusted to others is laid down, and how they are supervised.", shape,
			Text{"委託先の一覧と委託契約の写し", "list of contractors with copies of the contracts"}, Text{"委託をしない旨の書面", "statement that nothing is entrusted"}),
		criterion(CriterionStaff, OrganisationMeasure, "技術に関し十分な知識及び経験を有する者を配置していること。", "People with enough knowledge and experience of the technology are in place.", shape,
			Text{"従事者の経歴・資格", "careers and qualifications of the staff"}, Text{"教育訓練の計画", "plan of training"}),
		criterion(CriterionPurpose, OrganisationMeasure, "受領した情報の目的外利用の禁止、帳簿書類の漏えい・滅失・き損の防止を定めていること。", "Other uses of what is received are forbidden, and books are kept from leaks, loss and damage.", shape,
			Text{"個人情報の取扱規程", "rules on personal data"}, Text{"帳簿書類の保存規程", "rules on keeping the books"}),
		criterion(CriterionCrisis, OrganisationMeasure, "危機管理に関する事項を定めていること。", "It is laid down what is done in a crisis.", shape,
			Text{"事業継続・障害対応の計画", "plan for continuity and incidents"}, Text{"訓練の記録", "record of an exercise"}),
	}
	for i := range all {
		all[i].Shape = true
	}
	return all
}
