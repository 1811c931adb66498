package office

import (
	"slices"

	"github.com/jitsuin/jitsuin/internal/web"
)

// Role is a duty of a person of the office. Who has several may do what any of them may, but an auditor has no other.
type Role string

// The roles by duty.
const (
	Administrator Role = "administrator" // 管理者: people and their roles
	TenantDesk    Role = "tenant-desk"   // テナント担当: tenants and what is registered of them
	RecordsDesk   Role = "records-desk"  // 記録担当: records that the law asks for
	Operations    Role = "operations"    // 運用担当: health, queues, security
	Auditor       Role = "auditor"       // 監査担当: reads evidence and changes nothing
)

// Roles are all roles, in the order in which they are shown.
var Roles = []Role{Administrator, TenantDesk, RecordsDesk, Operations, Auditor}

var roleTitles = map[Role]web.Pair{
	Administrator: {JA: "管理者", EN: "Administrator"},
	TenantDesk:    {JA: "テナント担当", EN: "Tenant desk"},
	RecordsDesk:   {JA: "記録担当", EN: "Records desk"},
	Operations:    {JA: "運用担当", EN: "Operations"},
	Auditor:       {JA: "監査担当", EN: "Auditor"},
}

// Title gives what the role is called.
func (r Role) Title() web.Pair { return roleTitles[r] }

// Act is something that people of the office do. It is also the act of the line in the operation log.
type Act string

// What people of the office do. Reading is an act as well.
const (
	SeeOverview    Act = "overview-seen"
	SeePeople      Act = "people-seen"
	SeeTenants     Act = "tenants-seen"
	SeeApprovals   Act = "approvals-seen"
	SeeLog         Act = "log-seen"
	SeeRecords     Act = "records-seen"
	RegisterTenant Act = "tenant-registered"
	ChangeTerms    Act = "tenant-terms-changed"
	SuspendTenant  Act = "tenant-suspended"
	LiftTenant     Act = "tenant-lifted"
	EndTenant      Act = "tenant-ended"
	EndKey         Act = "tenant-key-ended"
	AddKey         Act = "tenant-key-added"
	ChangeOrigins  Act = "tenant-origins-changed"
	InvitePerson   Act = "person-invited"
	ChangeRoles    Act = "person-roles"
	EndPerson      Act = "person-left"
	GrantAdmin     Act = "administrator-granted"
	PlaceHold      Act = "record-held"
	ReleaseHold    Act = "record-hold-released"
)

// Duty is one row of the table: an act, and which roles may do it. Where Second is not empty nobody does it alone: one person
// with a role of May proposes it with a reason, and another with a role of Second approves it.
type Duty struct {
	Act    Act
	Title  web.Pair
	May    []Role
	Second []Role
	Reason bool // it changes something of others, and is refused without a reason
}

// Two tells whether two people are needed.
func (d Duty) Two() bool { return len(d.Second) > 0 }

// Duties is the whole table. What is not in it nobody may do.
var Duties = []Duty{
	{Act: SeeOverview, Title: web.Pair{JA: "概況を見る", EN: "See the overview"}, May: Roles},
	{Act: SeeApprovals, Title: web.Pair{JA: "承認待ちを見る", EN: "See what waits for approval"}, May: Roles},
	{Act: SeePeople, Title: web.Pair{JA: "係員と招待を見る", EN: "See people and invitations"}, May: []Role{Administrator, Operations, Auditor}},
	{Act: InvitePerson, Title: web.Pair{JA: "係員を招待する", EN: "Invite a person"}, May: []Role{Administrator}, Reason: true},
	{Act: ChangeRoles, Title: web.Pair{JA: "係員の役割を変える", EN: "Change a person's roles"}, May: []Role{Administrator}, Reason: true},
	{Act: EndPerson, Title: web.Pair{JA: "係員を外す（直ちに）", EN: "End a person's work here (at once)"}, May: []Role{Administrator, Operations}, Reason: true},
	{Act: GrantAdmin, Title: web.Pair{JA: "管理者の役割を与える", EN: "Grant the role of administrator"}, May: []Role{Administrator}, Second: []Role{Administrator, Operations}, Reason: true},
	{Act: SeeTenants, Title: web.Pair{JA: "テナントを見る", EN: "See tenants"}, May: []Role{TenantDesk, RecordsDesk, Operations, Auditor}},
	{Act: RegisterTenant, Title: web.Pair{JA: "テナントを登録する", EN: "Register a tenant"}, May: []Role{TenantDesk}, Second: []Role{TenantDesk, Operations}, Reason: true},
	{Act: ChangeTerms, Title: web.Pair{JA: "テナントの契約・連絡先・確認方法・割当てを変える", EN: "Change a tenant's contract, contact, validity or quota"}, May: []Role{TenantDesk}, Second: []Role{TenantDesk, Operations}, Reason: true},
	{Act: SuspendTenant, Title: web.Pair{JA: "テナントを停止する（直ちに）", EN: "Suspend a tenant (at once)"}, May: []Role{TenantDesk, Operations}, Reason: true},
	{Act: LiftTenant, Title: web.Pair{JA: "テナントの停止を解く", EN: "Lift a tenant's suspension"}, May: []Role{TenantDesk}, Second: []Role{TenantDesk, Operations}, Reason: true},
	{Act: EndTenant, Title: web.Pair{JA: "テナントを終える", EN: "End a tenant"}, May: []Role{TenantDesk}, Second: []Role{TenantDesk, Operations}, Reason: true},
	{Act: EndKey, Title: web.Pair{JA: "テナントの鍵を無効にする（直ちに）", EN: "End a tenant's key (at once)"}, May: []Role{TenantDesk, Operations}, Reason: true},
	{Act: AddKey, Title: web.Pair{JA: "テナントの鍵を加える", EN: "Add a key to a tenant"}, May: []Role{TenantDesk}, Second: []Role{TenantDesk, Operations}, Reason: true},
	{Act: ChangeOrigins, Title: web.Pair{JA: "テナントのオリジンを変える", EN: "Change a tenant's origins"}, May: []Role{TenantDesk}, Second: []Role{TenantDesk, Operations}, Reason: true},
	{Act: SeeRecords, Title: web.Pair{JA: "証跡を照会する", EN: "Search the evidence"}, May: []Role{RecordsDesk, Auditor}},
	{Act: PlaceHold, Title: web.Pair{JA: "記録を係争により保全する", EN: "Hold a record under dispute"}, May: []Role{RecordsDesk}, Reason: true},
	{Act: ReleaseHold, Title: web.Pair{JA: "記録の保全を解く", EN: "Release a record from a dispute"}, May: []Role{RecordsDesk}, Second: []Role{RecordsDesk, Administrator}, Reason: true},
	{Act: SeeLog, Title: web.Pair{JA: "動作記録を見る", EN: "Read the operation log"}, May: []Role{Operations, Auditor}},
}

// DutyOf gives the row of an act. An act that has none panics: it is a mistake in the program.
func DutyOf(a Act) Duty {
	i := slices.IndexFunc(Duties, func(d Duty) bool { return d.Act == a })
	if i < 0 {
		panic("no duty is called " + string(a))
	}
	return Duties[i]
}

// Any tells whether one of the roles is among those that are asked for.
func Any(have, want []Role) bool {
	return slices.ContainsFunc(have, func(r Role) bool { return slices.Contains(want, r) })
}
