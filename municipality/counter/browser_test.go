package counter_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/webtest"
)

// desk is a clerk at a browser.
type desk struct{ *webtest.Browser }

// look asks axe about the page, sees that it fits a telephone, and takes its picture.
func (d desk) look(name string) {
	d.Axe()
	d.FitsWidth(360)
	d.Shots(name)
	d.Resize(1280)
}

func (d desk) licence(r people.Resident) {
	d.Choose("書類の種類", "運転免許証")
	d.Fill("書類の番号", "第000000000001号")
	d.Fill("書類の有効期限", "2030-01-01")
}

// find brings up a resident's page by the name.
func (d desk) find(r people.Resident) {
	d.Click("住民をさがす")
	d.Fill("氏名（姓だけでも）", r.Items.Name)
	d.Fill("生年月日", r.Items.BirthDate.String())
	d.Click("さがす")
	d.Click(r.Items.Name)
	d.See("住民票の内容", r.Items.Address)
}

// The whole of a day at two counters, by clicking: application, check, hand-over, a move, a re-issue, a correction, a death.
func TestADayAtTheCounter(t *testing.T) {
	l := theLand(t)
	here, there := l.towns()
	hanako := l.grownUp(t, here.Code)
	d := desk{webtest.New(t, "ja", 1280)}
	d.Open(l.link(t, here.Code, "窓口 一郎"))
	d.See("今日の仕事", "担当: 窓口 一郎", here.Name)
	d.look("work-empty")

	d.find(hanako)
	d.look("resident")
	d.Click("カードの新規交付を受け付ける")
	d.look("apply")
	d.Click("受け付けて、本人確認へ進む")
	d.See("本人確認: " + hanako.Items.Name)
	d.look("check")
	d.licence(hanako)
	d.Tick("同じ人です")
	d.Click("この書類で確かめる")
	d.See("カードが窓口に届いています") // by itself: J-LIS has issued meanwhile
	d.look("case-ready")
	d.Click("カードを交付する")
	d.look("handover")
	d.Click("画面を本人に向ける") // without having made sure
	d.See("入力内容を確かめてください")
	d.Tick("申請した本人であることを確かめました")
	d.Click("画面を本人に向ける")
	d.See("暗証番号を決めてください")
	d.look("pins")
	d.Fill("署名用パスワード ※必須", "short")
	d.Fill("署名用パスワード（もう一度）", "short")
	d.Fill("利用者証明用の暗証番号 ※必須", "4649")
	d.Fill("利用者証明用の暗証番号（もう一度）", "4648")
	d.Click("決める")
	d.See("署名用パスワードは英大文字と数字の両方を含む6〜16文字", "2回の入力がちがいます")
	d.look("pins-wrong")
	d.Fill("署名用パスワード ※必須", "SEAL2026")
	d.Fill("署名用パスワード（もう一度）", "SEAL2026")
	d.Fill("利用者証明用の暗証番号 ※必須", "4649")
	d.Fill("利用者証明用の暗証番号（もう一度）", "4649")
	d.Click("決める")
	d.See("カードをお受け取りください")
	d.look("finished")
	d.Click("職員の画面へ")
	d.See("交付しました", "署名用の電子証明書", "有効")
	d.look("case-done")

	// A move to another town.
	d.Click(hanako.Items.Name)
	d.Click("転出（ほかの町・国外へ）")
	d.look("move-out")
	d.Fill("転出予定日", l.today(t).String())
	d.Choose("転出先", there.Name)
	d.Click("何が起きるかを確かめる")
	d.See("まだ記録していません", "手続きがないと失効します", "期限を過ぎています")
	d.look("move-out-preview")
	d.Click("記録する")
	d.See("記録しました")
	d.look("recorded")
	d.Click("この人の画面へ")
	d.See("転出しました")
	d.look("resident-left")

	d.Open(l.link(t, there.Code, "窓口 二郎"))
	d.See("担当: 窓口 二郎", there.Name)
	d.Click(hanako.Items.Name) // among the moving-out certificates, as soon as it has come
	d.Fill("転入した日", l.today(t).String())
	d.Fill("新しい住所", "雲居県"+there.Name+"１丁目１番１号")
	d.look("move-in")
	d.Click("何が起きるかを確かめる")
	d.See("J-LISが記録した時に失効します", "手続きの最後の日")
	d.look("move-in-preview")
	d.Click("記録する")
	d.See("記録しました")
	d.Click("この人の画面へ")

	// New certificates into the card that she has brought.
	d.Click("電子証明書の再発行を受け付ける")
	d.Tick("署名用の電子証明書")
	d.Choose("本人が出したカード", hanako.Items.Name)
	d.look("reissue")
	d.Click("受け付けて、本人確認へ進む")
	d.licence(hanako)
	d.Tick("同じ人です")
	d.Click("この書類で確かめる")
	d.Click("カードに書き込む")
	d.look("card")
	d.Tick("今のまま使う")
	d.Click("進める")
	d.See("交付しました", "有効")
	d.Click(hanako.Items.Name)

	// A correction of letters ends nothing.
	d.Click("軽微な修正")
	d.Choose("軽微な修正の事由", "5")
	d.Fill("修正の事由が生じた日", l.today(t).String())
	d.Fill("住所", "雲居県"+there.Name+"１丁目１番１－１０１号")
	d.look("minor")
	d.Click("何が起きるかを確かめる")
	d.See("そのまま使えます")
	d.NotSee("失効します")
	d.Click("記録する")
	d.See("記録しました")
	d.Click("この人の画面へ")

	d.Click("死亡")
	d.Fill("亡くなった日", l.today(t).String())
	d.Click("何が起きるかを確かめる")
	d.See("この日に失効します", "期限内です")
	d.look("death-preview")
	d.Click("記録する")
	d.See("記録しました", "失効", "J-LISが記録した時")
	d.Click("この人の画面へ")
	d.See("亡くなりました")
	d.look("resident-dead")
	d.Click("ログアウト")
	d.See("ログアウトしました")
	d.look("signin")
}

// The same counter in English and without a mouse: a letter in place of a document, the PINs, a move within the town.
func TestTheCounterByKeyboard(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	r := l.grownUp(t, here.Code)
	d := desk{webtest.New(t, "en", 1280)}
	d.Open(l.link(t, here.Code, "Clerk One"))
	d.See("Today's work", "Clerk: Clerk One")
	d.Keyboard("Find a resident")
	d.TabTo("Name (or the surname alone)")
	d.Press(strings.Join(strings.Fields(r.Items.Name), ""))
	d.Keyboard("Search")
	d.See("What was found")
	d.look("en-search")
	d.Keyboard(r.Items.Name)
	d.Keyboard("Take in an application for a new card")
	d.Keyboard("Take it in and check identity")
	d.Keyboard("Make the inquiry letter")
	d.See("Inquiry letter", "The application is mine", r.Items.Address)
	d.look("en-letter")
	code := regexp.MustCompile(`[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}`).FindString(d.Text())
	d.Keyboard("To the case")
	d.See("Inquiry letter sent")
	d.Keyboard("Today's work")
	d.See("Waiting for the reply to a letter")
	d.look("en-work")
	d.Keyboard("Check the reply")
	d.TabTo("Code on the reply")
	d.Press(strings.ToLower(strings.ReplaceAll(code, "-", "")))
	d.Keyboard("Check the code")
	d.See("The card is here")
	d.Keyboard("Hand the card over")
	d.TabTo("I have made sure")
	d.Press(" ")
	d.Keyboard("Turn the screen to the resident")
	d.See("Please choose your PINs")
	d.look("en-pins")
	for label, typed := range map[string]string{"Signature password (required)": "SEAL2026", "Signature password again": "SEAL2026", "PIN of four digits (required)": "4649", "PIN of four digits again": "4649"} {
		d.TabTo(label)
		d.Press(typed)
	}
	d.Keyboard("Set them")
	d.See("All done", "Please take your card")
	d.Keyboard("To the clerk's page")
	d.See("Handed over", "valid")
	d.Keyboard(r.Items.Name)
	d.look("en-resident")
	d.Keyboard("Move within the town")
	d.TabTo("Moved on")
	day := l.today(t)
	d.Press(fmt.Sprintf("%02d%02d%04d", int(day.Month), day.Day, day.Year))
	d.TabTo("New address")
	d.Press(r.Items.Address + "新棟")
	d.Keyboard("See what this will do")
	d.See("Nothing has been recorded yet", "ends when J-LIS records it", "stays valid", "in time")
	d.look("en-preview")
	d.Keyboard("Record it")
	d.See("Recorded.", "revoked", "recorded by J-LIS") // by itself
	d.look("en-recorded")
}

// A check that fails shows where, side by side.
func TestARefusalIsExplained(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	r := l.grownUp(t, here.Code)
	c := l.arrives(t, here, "窓口 一郎")
	id := c.applied(r)
	d := desk{webtest.New(t, "ja", 1280)}
	d.Open(l.link(t, here.Code, "窓口 一郎"))
	d.See("本人確認をする") // on the list of the day
	d.Click("転入・出生などの記載")
	d.look("entries")
	d.Open(c.origin + "/counter/cases/" + string(id) + "/check")
	d.licence(r)
	d.Fill("住所", "雲居県ほか市１番")
	d.Tick("同じ人です")
	d.Click("この書類で確かめる")
	d.See("お断りしました", "くいちがい", "雲居県ほか市１番", "申請はこの時点で終わりました")
	d.look("refused")
}
