package console_test

import (
	"testing"

	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/internal/webtest"
)

// officeBrowser is a browser in which a page is looked at by axe, at the width of a telephone, and for pictures.
type officeBrowser struct{ *webtest.Browser }

func (b officeBrowser) look(name string) {
	b.Axe()
	b.FitsWidth(360)
	b.Shots("office-" + name)
	b.Resize(1280)
}

// joins goes from a resident's page on the console to the platform's office: the invitation, the card, the PIN.
func (b officeBrowser) joins(w *world, r people.Resident, duty string, first bool) {
	l := web.JA
	b.Open(w.origin + "/people/" + string(r.ID))
	b.Choose(web.Text(l, "console.person.diy.office.role"), duty)
	b.Click(web.Text(l, "console.person.diy.office"))
	b.See(web.Text(l, "office.join.title"), duty)
	if first {
		b.look("join")
	}
	b.Click(web.Text(l, "office.join.go"))
	b.See("係員用")
	b.Tick(r.Items.Name)
	b.Click("このカードで進む")
	b.Fill("利用者証明用の暗証番号", string(country.AuthPIN.Reveal()))
	b.Click("ログインする")
	b.See(web.Text(l, "office.accreditation.in-force"), "見本 "+duty)
}

// A newcomer sees the platform's office with two sample residents: one makes an administrator's invitation, the other approves it.
func TestTheOfficeIsSeenFromTheConsole(t *testing.T) {
	t.Parallel()
	w := live(t, t.TempDir(), "")
	v := w.visit(t)
	one, two := v.somebody(0), v.somebody(1)
	for _, r := range []people.Resident{one, two} {
		v.press(r.ID, "apply")
		v.press(r.ID, "handover")
	}
	boss, ops := officeBrowser{webtest.New(t, "ja", 1280)}, officeBrowser{webtest.New(t, "ja", 1280)}
	boss.joins(w, one, "管理者", true)
	boss.look("overview")
	ops.joins(w, two, "運用担当", false)

	boss.Click("係員と招待")
	boss.See("見本 運用担当")
	boss.look("people")
	boss.Click("係員を招待する")
	boss.Fill("記録に残る名前", "管理 二郎")
	boss.Fill("理由", "二人体制にする")
	boss.Click("招待のリンクを作る") // no role chosen
	boss.See("入力内容を確かめてください", "役割を1つは選んでください")
	boss.look("invite-wrong")
	boss.Tick("管理者")
	boss.Click("招待のリンクを作る")
	boss.See("招待しました", "もう1人が承認するまで")
	boss.look("invited")

	ops.Keyboard("承認")
	ops.See("二人体制にする", "あなたが承認できます")
	ops.look("approvals")
	ops.Keyboard("管理者の役割を与える")
	ops.look("approval")
	ops.TabTo("理由")
	ops.Press("本人に確かめた")
	ops.Keyboard("承認する")
	ops.See("承認しました")
	ops.Click("動作記録")
	ops.See("administrator-granted", "二人体制にする")
	ops.look("log")
	ops.Click("役割と権限")
	ops.look("duties")
	ops.Click("テナント")
	ops.look("tenants")
	ops.Click("実印サンド証券")
	ops.look("tenant")
	ops.Click("ログアウト")
	ops.See("ログアウトしました")
	ops.look("login")
}
