package country

import (
	"context"
	"encoding/json"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"sort"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Config is the configuration of country:1.
type Config struct {
	actor.Config `yaml:",inline"`
	// Also lists further addresses at which the console listens, such as localhost:8400.
	Also []string `yaml:"also,omitempty"`
	// Names are what people call the instances.
	Names map[string]string `yaml:"names,omitempty"`
	Log   *slog.Logger      `yaml:"-"`
}

// console is the actor country:1: it moves the civil clock and shows where everything is.
type console struct {
	*actor.Actor
	names map[string]string
}

func newConsole(ctx context.Context, cfg Config) (*console, error) {
	a, err := actor.New(ctx, cfg.Config, actor.Spec{Title: "Country (clock and console)", Version: "1", Log: cfg.Log})
	if err != nil {
		return nil, err
	}
	c := &console{a, cfg.Names}
	c.offerClock()
	a.API.Raw("GET /{$}", httpapi.Public("the index shows no resident"), http.HandlerFunc(c.index))
	for _, listen := range cfg.Also {
		a.AlsoServe(listen, a.API.Handler())
	}
	return c, nil
}

// say is a text of the page in both languages.
type say struct{ JA, EN string }

var pageTexts = map[string]say{
	"title":  {"実印 — 公的個人認証サービスの小さな国", "Jitsuin — a small country with a public personal authentication service"},
	"lead":   {"この国のすべては架空で、試験用です。本物のカードや認証局とは関係がありません。", "Everything in this country is invented, for testing. It has nothing to do with real cards or authorities."},
	"clock":  {"いまの時刻（この国の暦）", "Civil time in this country"},
	"actors": {"登場するもの", "Who is here"},
	"name":   {"名前", "Name"},
	"what":   {"役割", "Role"},
	"where":  {"場所", "Where"},
	"state":  {"状態", "State"},
	"well":   {"✓ 動いています", "✓ well"},
	"ill":    {"✕ 問題があります", "✕ in trouble"},
	"api":    {"APIの説明", "API description"},
	"try":    {"次に試すこと（端末で）", "What to try next (in a terminal)"},
	"other":  {"English", "日本語"},
}

var roleTexts = map[string]say{
	"municipality": {"市区町村（住民基本台帳と窓口）", "Municipality: resident register and counter"},
	"jukinet":      {"住民基本台帳ネットワーク", "Resident registry network"},
	"jlis":         {"地方公共団体情報システム機構（認証局）", "J-LIS: the certification authority"},
	"status":       {"失効情報（CRL・OCSP）", "Certificate status: CRL and OCSP"},
	"minister":     {"主務大臣（認定）", "Competent minister: accreditation"},
	"platform":     {"プラットフォーム事業者（署名検証者）", "Platform operator: verifies for others"},
	"cards":        {"カードのある所（試験用）", "Where the chips are (sandbox)"},
	"service":      {"証券会社（みなし署名検証者）", "Securities firm: a deemed verifier"},
	"country":      {"この画面と時計", "This page and the clock"},
}

var page = template.Must(template.New("index").Parse(`<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{{.T.title}}</title><style>
body{font:16px/1.75 'Noto Sans JP',-apple-system,BlinkMacSystemFont,sans-serif;color:#333;max-width:56rem;margin:0 auto;padding:16px 24px 64px;line-break:strict}
h1{font-size:28px;color:#1a1a1a;line-height:1.4}h2{font-size:20px;color:#1a1a1a;margin-top:40px}
a{color:#00118f}a:focus-visible{outline:2px solid #000;outline-offset:2px;background:#ffd43d}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:8px 12px;border-bottom:1px solid #ccc;vertical-align:top}
th{font-weight:700;color:#1a1a1a}.id{font-weight:400;font-size:14px;white-space:nowrap}td{min-width:9em}.well{color:#197a4b;white-space:nowrap}.ill{color:#ce0000}
pre{background:#f2f2f2;padding:16px;border-radius:8px;overflow-x:auto;font-family:'Noto Sans Mono',monospace}
header{display:flex;justify-content:space-between;align-items:baseline;gap:16px}.note{background:#fbf5e0;border-radius:8px;padding:12px 16px}
</style></head><body>
<header><strong>実印 Jitsuin</strong><a href="?lang={{.OtherLang}}" lang="{{.OtherLang}}">{{.T.other}}</a></header>
<main><h1>{{.T.title}}</h1><p class="note">{{.T.lead}}</p>
<h2>{{.T.clock}}</h2><p><time datetime="{{.NowISO}}">{{.Now}}</time></p>
<h2>{{.T.actors}}</h2><div class="scroll" tabindex="0" role="region" aria-label="{{.T.actors}}"><table>
<thead><tr><th scope="col">{{.T.name}}</th><th scope="col">{{.T.what}}</th><th scope="col">{{.T.where}}</th><th scope="col">{{.T.state}}</th></tr></thead><tbody>
{{range .Rows}}<tr><th scope="row">{{with .Name}}{{.}}<br>{{end}}<span class="id">{{.ID}}</span></th><td>{{.Role}}</td><td>{{.Origin}}{{if .API}}<br><a href="{{.Origin}}/openapi.json">{{$.T.api}}<span class="id"> {{.ID}}</span></a>{{end}}</td>
<td>{{if .Wrong}}<span class="ill">{{$.T.ill}}</span>{{range .Wrong}}<br>{{.}}{{end}}{{else}}<span class="well">{{$.T.well}}</span>{{end}}</td></tr>
{{end}}</tbody></table></div>
<h2>{{.T.try}}</h2><pre tabindex="0">jitsuin card list
jitsuin sign contract.pdf
jitsuin verify contract.pdf.p7s --detached contract.pdf
jitsuin tour --out evidence
jitsuin clock --advance 1d</pre></main></body></html>`))

type row struct {
	ID, Name, Role, Origin string
	API                    bool // has an OpenAPI description
	Wrong                  []string
}

// index shows who is here, where, and whether they are well; each is asked now.
func (c *console) index(w http.ResponseWriter, r *http.Request) {
	lang, other := "ja", "en"
	if r.URL.Query().Get("lang") == "en" {
		lang, other = other, lang
	}
	pick := func(s say) string {
		if lang == "en" {
			return s.EN
		}
		return s.JA
	}
	texts := map[string]string{}
	for k, s := range pageTexts {
		texts[k] = pick(s)
	}
	rows := c.look(r.Context(), pick)
	sort.Slice(rows, func(i, j int) bool { return rows[i].ID < rows[j].ID })
	now := c.Clock.Now().In(jitsuin.JST)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Cache-Control", "no-store")
	err := page.Execute(w, map[string]any{"Lang": lang, "OtherLang": other, "T": texts, "Rows": rows,
		"Now": now.Format("2006-01-02 15:04:05 JST"), "NowISO": now.Format(time.RFC3339)})
	if err != nil {
		c.Log.WarnContext(r.Context(), "the index could not be written", "err", err)
	}
}

// look asks every actor at the same time how it is.
func (c *console) look(ctx context.Context, pick func(say) string) []row {
	var rows []row
	for role, s := range roleTexts {
		for _, i := range c.Directory.Role(role) {
			rows = append(rows, row{ID: i.ID, Name: c.names[i.ID], Role: pick(s), Origin: i.Origin, API: role != "cards"})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var asked sync.WaitGroup
	for i := range rows {
		asked.Go(func() { rows[i].Wrong = wrongWith(ctx, rows[i].Origin) })
	}
	asked.Wait()
	return rows
}

// wrongWith gives what an actor says is wrong with it; empty means well.
func wrongWith(ctx context.Context, origin string) []string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, origin+"/readyz", nil)
	if err != nil {
		return []string{err.Error()}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return []string{"no answer"}
	}
	defer resp.Body.Close()
	var state struct {
		Wrong map[string]string `json:"wrong"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&state); err != nil {
		return []string{"no answer that can be read"}
	}
	var wrong []string
	for what, why := range state.Wrong {
		wrong = append(wrong, what+": "+why)
	}
	sort.Strings(wrong)
	return wrong
}
