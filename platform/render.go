package platform

import (
	"context"
	"mime"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/platform/records"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/report"
)

// rendered is a form of the report: what it is called, its media type, and how it is written.
type rendered struct {
	name, mediaType, ending string
	write                   func(ctx context.Context, p *Platform, d *report.Document, lang string) ([]byte, error)
}

// renderings in the order in which one is chosen where the caller takes any.
var renderings = []rendered{
	{"html", "text/html; charset=utf-8", ".html", func(_ context.Context, _ *Platform, d *report.Document, lang string) ([]byte, error) {
		return d.HTML(lang)
	}},
	{"pdf", "application/pdf", ".pdf", func(ctx context.Context, p *Platform, d *report.Document, lang string) ([]byte, error) {
		return d.SealedPDF(ctx, lang, p.sealer, p.Clock.Now())
	}},
	{"text", "text/plain; charset=utf-8", ".txt", func(_ context.Context, _ *Platform, d *report.Document, lang string) ([]byte, error) {
		return []byte(d.Text(lang)), nil
	}},
	{"json", "application/json", ".json", func(_ context.Context, _ *Platform, d *report.Document, _ string) ([]byte, error) { return d.JSON() }},
}

// renderingOf gives the form that was asked for by name, else the first that the header Accept takes.
func renderingOf(name, accept string) (rendered, error) {
	for _, r := range renderings {
		if r.name == name {
			return r, nil
		}
	}
	if name != "" {
		return rendered{}, jitsuin.Errorf(jitsuin.Invalid, "report-format", "there is no form %q of a report", name).At("format")
	}
	if accept == "" {
		return renderings[0], nil
	}
	for _, r := range renderings {
		if accepts(accept, r.mediaType) {
			return r, nil
		}
	}
	return rendered{}, jitsuin.Errorf(jitsuin.Invalid, "report-format", "a report is written as HTML, PDF, text or JSON, and nothing of this is accepted").
		WithHint("send Accept: text/html, or name the form with ?format=")
}

// accepts tells whether a header Accept (RFC 9110 §12.5.1) takes a media type.
func accepts(header, mediaType string) bool {
	plain, _, _ := strings.Cut(mediaType, ";")
	kind, _, _ := strings.Cut(plain, "/")
	for _, one := range strings.Split(header, ",") {
		t, params, err := mime.ParseMediaType(one)
		if err == nil && strings.Trim(params["q"], "0.") != "" || err == nil && params["q"] == "" {
			if t == plain || t == "*/*" || t == kind+"/*" {
				return true
			}
		}
	}
	return false
}

// languageOf gives the language that was asked for, else the first of the header Accept-Language that is
// one of a report, else Japanese.
func languageOf(name, header string) string {
	if name != "" {
		return name
	}
	for _, one := range strings.Split(header, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(one), ";")
		tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
		if tag == report.Japanese || tag == report.English {
			return tag
		}
	}
	return report.Japanese
}

// document gives the report on a tenant's check. It names the person where the tenant states for which purpose the record
// is read, and as long as that is kept; otherwise nobody.
func (p *Platform) document(ctx context.Context, tenant string, id jitsuin.ID, purpose string) (*report.Document, error) {
	v, err := p.verification(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	d := &report.Document{Report: v.Report, Legal: *v.Legal}
	if purpose != "" && v.Record != nil {
		items, err := p.itemsOfRecord(ctx, tenant, v.Record.ID, purpose)
		if err != nil {
			return nil, err
		}
		for i := range d.Signatures {
			if s := &d.Signatures[i]; s.Format != signature.FormatTST { // there is one person: see onlySigner
				s.Items = items
			}
		}
	}
	return d.Made(p.cfg.Instance, v.CheckedAt), nil
}

// itemsOfRecord reads from the certificate in a record who signed, nil where it was destroyed meanwhile. It is a
// reading as any other.
func (p *Platform) itemsOfRecord(ctx context.Context, tenant string, id jitsuin.ID, purpose string) (*cert.Items, error) {
	f, err := p.recordFile(ctx, tenant, id, records.FileCertificate, purpose)
	if jitsuin.KindOf(err) == jitsuin.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	leaf, err := cert.Parse(f.Content)
	if err != nil {
		return nil, err
	}
	items, err := cert.ItemsOf(leaf)
	return &items, err
}

// render writes the report on a tenant's check.
func (p *Platform) render(ctx context.Context, tenant string, in *reportIn) (*reportOut, error) {
	r, err := renderingOf(in.Format, in.Accept)
	if err != nil {
		return nil, err
	}
	d, err := p.document(ctx, tenant, jitsuin.ID(in.ID), in.Purpose)
	if err != nil {
		return nil, err
	}
	body, err := r.write(ctx, p, d, languageOf(in.Lang, in.Language))
	if err != nil {
		return nil, err
	}
	return &reportOut{CacheControl: "no-store", ContentType: r.mediaType, Sniff: "nosniff",
		Disposition: `inline; filename="report-` + in.ID + r.ending + `"`, Body: body}, nil
}
