package securities

import (
	"github.com/jitsuin/jitsuin/signature/form"
)

// formID names the one form that this firm has people sign.
const formID = "securities-account"

// Fields of the form that the person fills in.
const (
	fieldOccupation = "occupation"
	fieldPurpose    = "purpose"
	fieldPEP        = "foreign_pep"
	fieldConfirmed  = "confirmed"
)

const (
	pepNo, pepYes = "no", "yes"
	confirmed     = "confirmed"
)

var firmName = form.Text{JA: "実印サンド証券株式会社", EN: "Jitsuin Sand Securities Co."}

// newForm gives the application for a general securities account (総合証券口座開設申込書) with a number. The
// same number gives the same form, so the document that comes back is compared with it to the byte.
func newForm(number string) form.Form {
	return form.Form{
		ID: formID, Number: number, Issuer: firmName,
		Title: form.Text{JA: "総合証券口座開設申込書", EN: "Application for a general securities account"},
		Intro: form.Text{JA: "実印サンド証券株式会社の総合証券口座の開設を、次のとおり申し込みます。", EN: "I apply for a general securities account with Jitsuin Sand Securities Co. as follows."},
		Fields: append([]form.Field{
			item(form.ItemName, "氏名", "Name"), item(form.ItemAddress, "住所", "Address"),
			item(form.ItemBirthDate, "生年月日", "Date of birth"), item(form.ItemSex, "性別", "Sex"),
		}, declarations()...),
		Clauses: clauses(),
	}
}

func item(name, ja, en string) form.Field {
	return form.Field{Name: name, Label: form.Text{JA: ja, EN: en}, From: form.FromCertificate, Item: name}
}

func option(value, ja, en string) form.Option {
	return form.Option{Value: value, Label: form.Text{JA: ja, EN: en}}
}

// declarations are what the law has the firm ask (犯罪収益移転防止法4条1項2号・3号, 施行令12条3項).
func declarations() []form.Field {
	ask := func(name, ja, en string, options ...form.Option) form.Field {
		return form.Field{Name: name, Label: form.Text{JA: ja, EN: en}, From: form.FromPerson, Required: true, Options: options}
	}
	return []form.Field{
		ask(fieldOccupation, "職業", "Occupation",
			option("employee", "会社員・団体職員", "Employee of a company or body"), option("executive", "会社役員・団体役員", "Director of a company or body"),
			option("public", "公務員", "Public official"), option("self-employed", "個人事業主・自営業", "Self-employed"),
			option("farming", "農業・林業・漁業", "Farming, forestry, fishing"), option("profession", "医師・弁護士などの専門職", "Doctor, lawyer or other profession"),
			option("part-time", "パート・アルバイト・派遣社員・契約社員", "Part-time or temporary work"), option("home", "専業主婦・専業主夫", "Keeping house"),
			option("student", "学生", "Student"), option("pensioner", "年金受給者・退職した方", "Pensioner, retired"), option("none", "無職", "Without occupation")),
		ask(fieldPurpose, "取引を行う目的", "Purpose of the transactions",
			option("assets", "長期の資産形成", "Long-term saving"), option("retirement", "老後の資金の準備", "Saving for old age"),
			option("education", "教育資金の準備", "Saving for education"), option("surplus", "余裕資金の運用", "Investing spare money"),
			option("short-term", "短期の値上がり益", "Short-term gains"), option("dividends", "配当・分配金・株主優待", "Dividends and shareholder benefits"),
			option("inheritance", "相続・贈与で受け取った財産の管理", "Managing what was inherited or given")),
		ask(fieldPEP, "外国の重要な公的地位にある方（外国PEPs）への該当", "Foreign politically exposed person (PEP)",
			option(pepNo, "本人・家族とも該当しない（過去も含む）", "Neither I nor my family, now or before"),
			option(pepYes, "本人又は家族が該当する（過去に該当した場合を含む）", "I or my family are, or were")),
		ask(fieldConfirmed, "確認", "Confirmation",
			option(confirmed, "下の各条を読み、同意します。記載した内容に誤りはありません。", "I have read and agree to the clauses below. What I state is true.")),
	}
}

func clauses() []form.Text {
	return []form.Text{
		{JA: "実印サンド証券株式会社（以下「当社」）は、本申込書に付された署名用電子証明書による電子署名を確認したときに、申込者の名義の総合証券口座を開設し、この契約はその時に成立します。",
			EN: "Jitsuin Sand Securities Co. (the firm) opens a general securities account in the applicant's name, and this contract is made, when it has verified the electronic signature made with the signature certificate."},
		{JA: "申込者は、自らの名義と計算で取引を行い、他人に口座を利用させません。", EN: "The applicant trades in their own name and on their own account, and lets nobody else use the account."},
		{JA: "申込者は、氏名、住所、職業、取引を行う目的又は外国PEPsへの該当に変更があったときは、遅滞なく当社に届け出ます。",
			EN: "The applicant tells the firm without delay of a change of name, address, occupation, purpose, or of being a foreign PEP."},
		{JA: "当社は、受け取った氏名・住所・生年月日・性別と申込みの内容を、取引時確認、口座の管理と法令上の記録の保存のために利用し、それ以外に利用しません。",
			EN: "The firm uses name, address, date of birth, sex and what is stated here to identify its customer, to keep the account and to keep the records that the law asks for, and for nothing else."},
		{JA: "当社は、確認記録を作成し、契約が終了した日から法令の定める期間保存します。", EN: "The firm makes a confirmation record and keeps it for the time that the law sets from the end of the contract."},
		{JA: "この申込書は試験用の架空のものであり、実在の人物・団体とは関係がありません。", EN: "This application is invented, for testing, and has nothing to do with any real person or company."},
	}
}
