package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

type holderCmd struct {
	Local    holderLocalCmd    `cmd:"" default:"withargs" help:"Answer requests of sites with the card at this computer, on a page in the browser."`
	Approve  holderApproveCmd  `cmd:"" help:"Answer a pending request as a named person of the running country, for automated tests."`
	Personas holderPersonasCmd `cmd:"" help:"List the people as whom tests may answer."`
	End      holderEndCmd      `cmd:"" help:"Have a named person's certificates revoked, for good."`
	Native   holderNativeCmd   `cmd:"" help:"Speak the native-messaging protocol of the state's browser host, for tests of pages on Linux."`
}

func (holderCmd) Help() string {
	return `Without a further command the holder of this computer runs: jitsuin holder local --help tells its flags.

Example:  jitsuin holder --data ./jitsuin-data`
}

type holderApproveCmd struct {
	data
	Request string            `arg:"" help:"The request: its request_uri, or the address of the holder's page on which the browser stands." placeholder:"LINK"`
	Persona string            `help:"Who answers: an id or a name of jitsuin holder personas." required:"" placeholder:"WHO"`
	Outcome string            `help:"What the person does: ${enum}." enum:"consent,cancel,wrong-pin,locked-pin,removed-card,revoked,time-out" default:"consent"`
	Input   map[string]string `help:"What is typed into a form, by field; may be repeated." placeholder:"FIELD=TEXT"`
}

func (holderApproveCmd) Help() string {
	return `The holder goes the same steps as on its pages, with the person's own card, and prints as JSON what came of it: lead the browser that
began to return_url, or type screen_secret in it where the person answers on another device. Wrong and locked PIN and a card that is taken away end as if the person had given up; the site is told
access_denied. A request is answered once. Over HTTP it is POST /sandbox/approvals at the holder's origin.

Example:  jitsuin holder approve "http://127.0.0.50:8400/request?request_uri=…" --persona resident-1`
}

func (c *holderApproveCmd) Run(ctx context.Context, face *ui.Face) error {
	var out site.Approved
	in := site.Approval{Request: c.Request, Persona: c.Persona, Outcome: c.Outcome, Inputs: c.Input}
	if err := askHolder(ctx, country.Folder(c.Data), http.MethodPost, "/sandbox/approvals", in, &out); err != nil {
		return err
	}
	return printJSON(face, out)
}

type holderPersonasCmd struct{ data }

func (holderPersonasCmd) Help() string {
	return `They, and the user ids that sites get for them, are the same in every country of the same seed. All their cards have the sample PINs.

Example:  jitsuin holder personas`
}

func (c *holderPersonasCmd) Run(_ context.Context, face *ui.Face) error {
	known, err := country.Folder(c.Data).Personas()
	if err != nil {
		return err
	}
	for _, p := range known.Personas {
		line := fmt.Sprintf("%-14s %s", p.ID, p.Name)
		if p.Ended {
			line += "  (revoked)"
		}
		if _, err := fmt.Fprintln(face.Out, line); err != nil {
			return err
		}
	}
	return nil
}

type holderEndCmd struct {
	data
	Persona string `arg:"" help:"Who." placeholder:"WHO"`
}

func (holderEndCmd) Help() string {
	return `The person's town records a death, by which all certificates end. Only a new country brings the person back.

Example:  jitsuin holder end resident-12`
}

func (c *holderEndCmd) Run(ctx context.Context, face *ui.Face) error {
	if err := country.Folder(c.Data).EndPersona(ctx, c.Persona); err != nil {
		return err
	}
	_, err := fmt.Fprintf(face.Out, "%s: all certificates are revoked\n", c.Persona)
	return err
}

func printJSON(face *ui.Face, v any) error {
	e := json.NewEncoder(face.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// askHolder calls the holder of a running country as anybody may in a sandbox.
func askHolder(ctx context.Context, f country.Folder, method, path string, in, out any) error {
	d, err := f.Directory()
	if err != nil {
		return err
	}
	h, err := d.Lookup(country.Holder)
	if err != nil {
		return err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, h.Origin+path, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "country-stopped", "the holder of %s does not answer: %w", string(f), err).WithHint("jitsuin up starts the country")
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return httpapi.DecodeProblem(resp)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
