package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/gowebpki/jcs"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
)

// RecordFacts are what only the tenant knows of a record that the law asks for. They come with the verification request,
// or later as an Amendment. Keys of Items are those of rules.RecordMembers for the record's kind; what the platform
// finds itself (name, residence, method, time, attachment) is not among them.
type RecordFacts struct {
	Items map[string]string `json:"items,omitempty" doc:"by the key of the member, such as checked-by, made-by, transaction, purpose, occupation, account-number"`
	// Cases are further cases of rules.RecordCase that hold, such as foreign-pep or agent: they ask for more members.
	Cases    []rules.RecordCase `json:"cases,omitempty" maxItems:"10"`
	Contract string             `json:"contract,omitempty" maxLength:"100" doc:"the tenant's number of the contract that the record belongs to"`
	// KeepDocument has the signed data kept with the record. Left out, the tenant keeps them, and the record has their digest.
	KeepDocument bool `json:"keep_document,omitempty"`
}

// RecordGap is a member that the law asks for and that a record does not have yet.
type RecordGap struct {
	Key  string           `json:"key"`
	Text rules.Text       `json:"text"`
	Law  rules.Text       `json:"law"`
	Sure rules.Confidence `json:"confidence"`
}

// RecordHead is what a list tells of a record: nothing of what stands in it but what it is found by.
type RecordHead struct {
	ID           jitsuin.ID         `json:"id"`
	Kind         rules.Record       `json:"kind"`
	Purpose      rules.Purpose      `json:"purpose,omitempty"`
	Verification jitsuin.ID         `json:"verification,omitempty" doc:"the check from which it was made; absent for a record of a transaction"`
	About        jitsuin.ID         `json:"about,omitempty" doc:"of a record of a transaction: the record of the person"`
	User         string             `json:"user,omitempty"`
	Account      string             `json:"account,omitempty" doc:"account number, or what else the record is found by"`
	MadeAt       time.Time          `json:"made_at" doc:"civil time"`
	Cases        []rules.RecordCase `json:"cases,omitempty"`
	Complete     bool               `json:"complete" doc:"every member that the law of the day asks for is there"`
	CompleteBy   *jitsuin.Date      `json:"complete_by,omitempty" doc:"last day on which it must be complete, where the law names one"`
	KeepUntil    jitsuin.Date       `json:"keep_until" doc:"last day; empty while a contract runs"`
	Held         bool               `json:"held" doc:"under dispute (係争中): not destroyed"`
	Law          string             `json:"law"`
	Entries      int                `json:"entries"`
	Head         string             `json:"head" doc:"hash of the last entry, hex"`
}

// RecordItem is a member with its value as it stands in one entry.
type RecordItem struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	EN    string `json:"value_en,omitempty" doc:"in English, where it differs"`
}

// Why an entry was added to a record.
const (
	EntryMade     = "made"
	EntryAmended  = "amended"
	EntryContract = "contract"
	EntryEnd      = "contract-end"
)

// RecordEntry is one addition to a record. Entries are never changed: each has the hash of the one before it, and Hash
// is SHA-256 over the entry without it, in the form of RFC 8785.
type RecordEntry struct {
	Record   jitsuin.ID         `json:"record"`
	N        int                `json:"n"`
	At       time.Time          `json:"at" doc:"civil time"`
	Who      string             `json:"who" doc:"the caller who added it"`
	By       string             `json:"by,omitempty" doc:"the person at the tenant, as the tenant named them"`
	Why      string             `json:"why" enum:"made,amended,contract,contract-end"`
	Reason   string             `json:"reason,omitempty"`
	Items    []RecordItem       `json:"items"`
	Cases    []rules.RecordCase `json:"cases,omitempty"`
	Contract string             `json:"contract,omitempty"`
	EndedOn  *jitsuin.Date      `json:"ended_on,omitempty"`
	Salt     string             `json:"salt,omitempty" doc:"random, so that the hash tells nobody what was recorded"`
	Prev     string             `json:"prev"`
	Hash     string             `json:"hash,omitempty"`
}

// Sum gives the hash that belongs to the entry.
func (e RecordEntry) Sum() (string, error) {
	e.Hash = ""
	text, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	form, err := jcs.Transform(text)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(form)
	return hex.EncodeToString(sum[:]), nil
}

// CheckEntries makes sure that the entries are those of one record, whole and unchanged, up to the one whose hash is
// head. The error names the first that is not, with kind Invalid.
func CheckEntries(record jitsuin.ID, head string, entries []RecordEntry) error {
	prev := ""
	for i, e := range entries {
		sum, err := e.Sum()
		if err != nil || e.Record != record || e.N != i+1 || e.Prev != prev || e.Hash != sum {
			return jitsuin.Errorf(jitsuin.Invalid, "record-changed", "entry %d of the record is not what was written", i+1)
		}
		prev = e.Hash
	}
	if prev != head {
		return jitsuin.Errorf(jitsuin.Invalid, "record-cut", "the record does not end with its entry %d", len(entries))
	}
	return nil
}

// RecordFile is a file of a record's attachment (添付資料).
type RecordFile struct {
	Name      string `json:"name" doc:"signature, certificate, status or document"`
	MediaType string `json:"media_type"`
	Size      int    `json:"size" doc:"bytes"`
	SHA256    string `json:"sha256"`
}

// RecordContract is a contract that a record belongs to.
type RecordContract struct {
	Contract string       `json:"contract"`
	EndedOn  jitsuin.Date `json:"ended_on" doc:"empty while it runs"`
}

// RecordKeeping says how long a record is kept and by which rule.
type RecordKeeping struct {
	Rule  string       `json:"rule" doc:"ID of the rule"`
	Text  rules.Text   `json:"text"`
	Law   rules.Text   `json:"law"`
	Years int          `json:"years"`
	Start rules.Text   `json:"start" doc:"the day from which the years count"`
	Until jitsuin.Date `json:"until" doc:"last day; empty while a contract runs"`
}

// FullRecord is a record as it stands: Items are the newest values, Entries everything that was ever written.
type FullRecord struct {
	RecordHead
	Items     []RecordItem     `json:"items"`
	Missing   []RecordGap      `json:"missing" doc:"what the law of the day on which the record was made asks for besides"`
	List      []RecordEntry    `json:"list"`
	Contracts []RecordContract `json:"contracts"`
	Holds     []Hold           `json:"holds"`
	Files     []RecordFile     `json:"files"`
	Keeping   RecordKeeping    `json:"keeping"`
}

// Reasons for which a tenant reads what stands in a record. It is told to the operation log.
const (
	ReadBusiness   = "business"   // 業務
	ReadDisclosure = "disclosure" // 本人からの開示請求
	ReadAuthority  = "authority"  // 当局への提出
	ReadAudit      = "audit"      // 監査
	ReadDispute    = "dispute"    // 紛争
)

// RecordQuery selects records of the tenant. Zero values select all; days are those on which records were made.
type RecordQuery struct {
	User, Account string
	Kind          rules.Record
	State         string // "", complete, incomplete, held, running (no last day yet) or ending (a last day is known)
	From, To      jitsuin.Date
	After         string // Next of the page before
	Limit         int    // at most 200; 50 when 0
}

// RecordPage is one page of a list; Next is empty on the last.
type RecordPage struct {
	Records []RecordHead `json:"records"`
	Next    string       `json:"next,omitempty"`
}

// NewRecord makes a record of a transaction (取引記録), or the note that a known customer was recognised
// (取引時確認済み), beside the record of the person.
type NewRecord struct {
	Kind  rules.Record       `json:"kind" enum:"transaction,knowledge-of-customer"`
	About jitsuin.ID         `json:"about" doc:"the confirmation record of the person"`
	By    string             `json:"by,omitempty" maxLength:"200"`
	On    jitsuin.Date       `json:"on" doc:"day of the transaction"`
	Items map[string]string  `json:"items,omitempty"`
	Cases []rules.RecordCase `json:"cases,omitempty" maxItems:"10"`
}

// Amendment adds to a record. What was recorded stays.
type Amendment struct {
	By     string             `json:"by,omitempty" maxLength:"200" doc:"the person who amends"`
	Reason string             `json:"reason" minLength:"1" maxLength:"500"`
	Items  map[string]string  `json:"items,omitempty"`
	Cases  []rules.RecordCase `json:"cases,omitempty" maxItems:"10"`
}

// ContractNote tells of a further contract that rests on the same check, or, with EndedOn, that one has ended.
type ContractNote struct {
	Contract string       `json:"contract,omitempty" maxLength:"100" doc:"the tenant's number; empty where there is only one"`
	EndedOn  jitsuin.Date `json:"ended_on,omitzero" doc:"day on which it ended"`
	By       string       `json:"by,omitempty" maxLength:"200"`
}

// HoldRequest keeps a record from being destroyed while it is under dispute (係争中).
type HoldRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"name the case, not the person"`
}

// ReleaseRequest asks that a hold ends. Two people of the platform decide.
type ReleaseRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500"`
}

// States of a hold.
const (
	HoldOn       = "on"
	HoldAsked    = "release-asked"
	HoldReleased = "released"
)

// Hold is a hold on a record.
type Hold struct {
	ID         jitsuin.ID `json:"id"`
	Record     jitsuin.ID `json:"record"`
	Tenant     string     `json:"tenant"`
	State      string     `json:"state" enum:"on,release-asked,released"`
	Reason     string     `json:"reason"`
	PlacedBy   string     `json:"placed_by"`
	PlacedAt   time.Time  `json:"placed_at"`
	AskedBy    string     `json:"asked_by,omitempty"`
	AskedWhy   string     `json:"asked_why,omitempty"`
	ReleasedBy string     `json:"released_by,omitempty"`
	ReleasedAt *time.Time `json:"released_at,omitempty"`
}

// Destruction is the certificate that a record was destroyed: it names nobody.
type Destruction struct {
	ID           jitsuin.ID   `json:"id"`
	Tenant       string       `json:"tenant"`
	Record       jitsuin.ID   `json:"record"`
	Verification jitsuin.ID   `json:"verification,omitempty"`
	Kind         rules.Record `json:"kind"`
	MadeAt       time.Time    `json:"made_at"`
	KeptUntil    jitsuin.Date `json:"kept_until"`
	Rule         string       `json:"rule" doc:"ID of the rule by which it ended"`
	Law          string       `json:"law"`
	Entries      int          `json:"entries" doc:"how many entries it had"`
	Head         string       `json:"head" doc:"hash of the last one"`
	DestroyedAt  time.Time    `json:"destroyed_at" doc:"civil time"`
	CleanedAt    *time.Time   `json:"cleaned_at,omitempty" doc:"when the database's own files were rid of it as well"`
}

// DestructionPage is one page of certificates.
type DestructionPage struct {
	Destructions []Destruction `json:"destructions"`
	Next         string        `json:"next,omitempty"`
}

// SignedDestruction is a certificate with the platform's signature over it: CMS, detached, over Statement as it stands.
type SignedDestruction struct {
	Destruction
	Statement []byte `json:"statement" doc:"the certificate as JSON"`
	Signature []byte `json:"signature" doc:"CMS over it; the root of its certificate is at /report.cer"`
}

// EvidenceQuery is a search by an auditor (証跡照会) over all tenants, or one. Purpose says on which ground, Reason
// in words why; both stand in the operation log with what was searched for.
type EvidenceQuery struct {
	Purpose      string        `json:"purpose" enum:"audit,supervision,dispute,incident" doc:"監査, 監督, 紛争, 事故"`
	Reason       string        `json:"reason" minLength:"3" maxLength:"500"`
	Tenant       string        `json:"tenant,omitempty" maxLength:"64"`
	Verification jitsuin.ID    `json:"verification,omitempty" maxLength:"64"`
	Record       jitsuin.ID    `json:"record,omitempty" maxLength:"64"`
	Digest       string        `json:"digest,omitempty" maxLength:"128" doc:"of the document, hex"`
	User         string        `json:"user,omitempty" maxLength:"64"`
	Use          rules.Purpose `json:"use,omitempty" maxLength:"100" doc:"what the signature was for"`
	Verdict      string        `json:"verdict,omitempty" maxLength:"40"`
	From         jitsuin.Date  `json:"from,omitzero"`
	To           jitsuin.Date  `json:"to,omitzero"`
	After        string        `json:"after,omitempty" maxLength:"100"`
	Limit        int           `json:"limit,omitempty" minimum:"0" maximum:"200"`
}

// EvidenceLine is one check as an auditor sees it: what was decided on which ground, and what is kept; never who it was.
type EvidenceLine struct {
	Verification jitsuin.ID   `json:"verification"`
	Tenant       string       `json:"tenant"`
	Sort         string       `json:"sort" enum:"document,login"`
	CheckedAt    time.Time    `json:"checked_at"`
	Purpose      string       `json:"purpose"`
	Digest       string       `json:"digest"`
	Verdict      string       `json:"verdict"`
	User         string       `json:"user,omitempty" doc:"the tenant's pairwise id"`
	Method       *rules.Text  `json:"method,omitempty" doc:"act, article and letter on that day, where it passed"`
	Record       *RecordHead  `json:"record,omitempty"`
	Destroyed    *Destruction `json:"destroyed,omitempty"`
}

// EvidenceAnswer is one page of a search.
type EvidenceAnswer struct {
	Search jitsuin.ID     `json:"search" doc:"as it stands in the operation log"`
	Lines  []EvidenceLine `json:"lines"`
	Next   string         `json:"next,omitempty"`
}
