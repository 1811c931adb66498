package country

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/jlis"
	"github.com/jitsuin/jitsuin/jukinet"
	"github.com/jitsuin/jitsuin/minister"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/municipality/counter"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/tlslogin"
	"github.com/jitsuin/jitsuin/services/securities"
	"github.com/jitsuin/jitsuin/status"
	"github.com/jitsuin/jitsuin/tsa"
)

// Instance ids of the sandbox.
const (
	Country    = "country:1"
	Jukinet    = "jukinet:1"
	JLIS       = "jlis:1"
	Status     = "status:1"
	Minister   = "minister:1"
	Platform   = "platform:1"
	TSA        = "tsa:1"
	Holder     = "holder:1"
	Cards      = "cards:1"
	Securities = "service:securities-1"

	Official   = "official:1"          // clerk of the minister's office
	Operator   = "operator:1"          // who registers tenants at the platform
	Verifier   = "verifier:country"    // a stand-alone verifier, a body named by law
	TenantFirm = "tenant:securities-1" // the securities firm as a tenant of the platform
)

// tsaPassphrase is the secret with which the time-stamping authority's keys are sealed.
const tsaPassphrase = "tsa-passphrase"

// Town gives a municipality's instance id, Counter that of its counter's terminal.
func Town(c jitsuin.MunicipalityCode) string    { return "municipality:" + string(c) }
func Counter(c jitsuin.MunicipalityCode) string { return "counter:" + string(c) }

// Sample gives the invented people of a country made with seed on the day of now.
func (f Facts) Sample() people.Country { return people.Generate(f.Seed, jitsuin.DateOf(f.Civil)) }

// create lays out a new country: keys, directory, configuration files, residents. It makes
// country.json last, so that a creation that was cut short is simply done again.
func (f Folder) create(facts Facts) error {
	l, err := f.newLayout(facts)
	if err != nil {
		return err
	}
	facts.Layout = l.digest()
	if err := f.layOut(l, l, nil); err != nil {
		return err
	}
	for _, m := range l.sample.Municipalities {
		if err := f.writeResidents(l.sample, m.Code); err != nil {
			return err
		}
	}
	return f.writeFacts(facts)
}

func (f Folder) writeFacts(facts Facts) error {
	raw, err := json.MarshalIndent(facts, "", "  ")
	if err != nil {
		return err
	}
	return replace(f.Path("country.json"), append(raw, '\n'), 0o600)
}

// instances lists everybody who is in the directory, with the number of their origin (0: they only call).
func instances(sample people.Country) map[string]int {
	all := map[string]int{Country: numConsole, Jukinet: numJukinet, JLIS: numJLIS, Status: numStatus, Minister: numMinister,
		Platform: numPlatform, TSA: numTSA, Holder: numHolder, Cards: numCards, Securities: numService, Official: 0, Operator: 0, Verifier: 0, Ministry: 0, Railway: 0}
	for i, m := range sample.Municipalities {
		all[Town(m.Code)], all[Counter(m.Code)] = numTown+i, 0
	}
	return all
}

func (f Folder) writeDirectory(plan Plan, sample people.Country) error {
	operator, err := f.keyOf("operator")
	if err != nil {
		return err
	}
	if err := actor.WritePublicKey(f.Path("operator.pub.pem"), &operator.Key.PublicKey); err != nil {
		return err
	}
	var list []httpapi.Instance
	for id, n := range instances(sample) {
		who, err := f.keyOf(id)
		if err != nil {
			return err
		}
		origin := ""
		if n > 0 {
			origin = plan.Origin(n)
		}
		list = append(list, who.Public(origin))
	}
	if _, err := f.keyOf(TenantFirm); err != nil { // known to the platform, not to the directory
		return err
	}
	signed, err := httpapi.SignDirectory(operator.Key, list)
	if err != nil {
		return err
	}
	return replace(f.Path("directory.jws"), signed, 0o644)
}

// base is the part of the configuration that all actors share. Paths are relative to config/.
func (f Folder) base(facts Facts, plan Plan, id string, n int) actor.Config {
	dir := filepath.Join("..", "actors", fileName(id))
	return actor.Config{Instance: id, Listen: plan.Listen(n), Metrics: plan.Metrics(n), Database: filepath.Join(dir, "db.sqlite"), State: filepath.Join(dir, "state"),
		Key: filepath.Join("..", "secrets", "keys", fileName(id)+".pem"), Directory: "../directory.jws", DirectoryKey: "../operator.pub.pem",
		Clock: Country, ClockOffset: facts.Civil.Sub(facts.Made), Trace: true}
}

// config gives the whole configuration of one actor.
func (f Folder) config(facts Facts, plan Plan, sample people.Country, id string, b actor.Config) any {
	switch httpapi.RoleOf(id) {
	case "municipality":
		code := id[len("municipality:"):]
		return municipality.Config{Config: b, Import: filepath.Join("..", "residents", code+".jsonl"), Counter: desk(sample, jitsuin.MunicipalityCode(code))}
	case "jukinet":
		return jukinet.Config{Config: b}
	case "jlis":
		return agency(facts, plan, sample, b)
	case "minister":
		return minister.Config{Config: b}
	case "platform":
		return platform.Config{Config: b, TSA: TSA, Webhooks: platform.WebhookConfig{Loopback: true},
			Application: "../" + applicationFolder + "/" + applicationName, Sandbox: platform.SandboxConfig{Open: true},
			TLSLogin: tlsLogin(plan)}
	case "tsa":
		return tsa.Config{Config: b, PassphraseFile: "../secrets/" + tsaPassphrase}
	case "holder":
		return site.Config{Config: b, Cards: "../cards", FaceAnchor: "../anchors/face.pub", Computer: "http://" + site.DefaultLocal, Sandbox: true, Personas: "../" + personasName}
	case "cards":
		return CardsConfig{Instance: id, Listen: b.Listen, Metrics: b.Metrics, Cards: "../cards", CreateKey: "../secrets/cards-create-key", TraceKey: "../secrets/" + cardsTraceKey,
			FaultKey: "../secrets/" + cardsFaultKey}
	case "service":
		return securities.Config{Config: b}
	}
	names, english := map[string]string{}, map[string]string{}
	for _, m := range sample.Municipalities {
		names[Town(m.Code)], english[Town(m.Code)] = m.Name, m.Romaji
	}
	return Config{Config: b, Also: plan.Console()[1:], Names: names, NamesEN: english, Folder: "..", CardsTraceKey: "../secrets/" + cardsTraceKey}
}

// tlsLogin gives the platform a port for logins by a card's certificate, with a certificate of its own making, which is for this machine
// alone: a country that others reach over a network has no such port until it is given a certificate.
func tlsLogin(plan Plan) platform.TLSLoginConfig {
	address := plan.Listen(numTLSLogin)
	if host, _, err := net.SplitHostPort(address); err != nil || !tlslogin.Loopback(host) {
		return platform.TLSLoginConfig{}
	}
	return platform.TLSLoginConfig{Listen: address}
}

// desk gives the section counter of a municipality's configuration.
func desk(sample people.Country, code jitsuin.MunicipalityCode) *counter.Config {
	towns := map[jitsuin.MunicipalityCode]string{}
	for _, m := range sample.Municipalities {
		towns[m.Code] = m.Name
	}
	return &counter.Config{Key: "../secrets/keys/" + fileName(Counter(code)) + ".pem", TerminalKey: "../secrets/keys/" + fileName("terminal:"+string(code)) + ".pem",
		TerminalCertificate: "../secrets/terminal-" + string(code) + ".certificate", Reader: "../cards", Labels: "../labels", Towns: towns}
}

// agency gives the configuration of J-LIS, its status origin included.
func agency(facts Facts, plan Plan, sample people.Country, b actor.Config) jlis.Config {
	places := map[jitsuin.MunicipalityCode]jlis.Place{}
	for _, m := range sample.Municipalities {
		_, p, _ := sample.MunicipalityOf(m.Code)
		places[m.Code] = jlis.Place{Prefecture: p.Romaji, Municipality: m.Romaji}
	}
	return jlis.Config{Config: b, CardHost: Cards, CardHostKeyFile: "../secrets/cards-create-key", PassphraseFile: "../secrets/passphrase", Places: places,
		Status: jlis.StatusConfig{Instance: Status, Listen: plan.Listen(numStatus), Key: "../secrets/keys/" + fileName(Status) + ".pem",
			Cadence: status.Cadence(facts.Cadence)}}
}

// writeResidents writes a municipality's existing register, as it imports it at its first start.
func (f Folder) writeResidents(sample people.Country, code jitsuin.MunicipalityCode) error {
	file, err := os.OpenFile(f.Path("residents", string(code)+".jsonl"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	enc := json.NewEncoder(w)
	for _, r := range sample.Residents {
		if r.Municipality != code {
			continue
		}
		if err := enc.Encode(municipality.ImportLine{Subject: r.ID, Items: r.Items, Household: r.Household,
			MyNumber: r.MyNumber, ResidentCode: r.ResidentCode, Nationality: r.Nationality, Stay: r.Stay, StayUntil: r.StayUntil,
			AdultWard: r.AdultWard}); err != nil {
			return err
		}
	}
	return w.Flush()
}
