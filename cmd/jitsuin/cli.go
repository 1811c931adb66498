package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/alecthomas/kong"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder/site"
)

// cli is the whole command line. Every command has one sentence and an example.
type cli struct {
	Lang     string           `help:"Language of results for people: ja or en. The default follows the locale." enum:",ja,en" default:"" placeholder:"ja|en"`
	Log      string           `help:"Form of the log on standard error: text or json." enum:"text,json" default:"text"`
	LogLevel string           `help:"Least grave level that is logged: debug, info, warn or error. The default is info for serve, else warn." enum:",debug,info,warn,error" default:"" placeholder:"LEVEL"`
	Version  kong.VersionFlag `help:"Print the version and exit."`

	Up     upCmd     `cmd:"" group:"country" help:"Run a whole small country in this process until it is interrupted."`
	Serve  serveCmd  `cmd:"" group:"country" help:"Run one actor alone, by its configuration file."`
	Tour   tourCmd   `cmd:"" group:"country" help:"Play the whole story from application to revocation, checking every step."`
	Clock  clockCmd  `cmd:"" group:"country" help:"Show the civil time of a running country, or move it forward."`
	Doctor doctorCmd `cmd:"" group:"country" help:"Look at a country, or one actor, and say what is wrong and what to do next."`
	Audit  auditCmd  `cmd:"" group:"country" help:"Check operation logs, and write what an auditor takes away."`
	Feed   feedCmd   `cmd:"" group:"country" help:"Look after an actor's change feeds."`

	Counter  counterCmd  `cmd:"" group:"country" help:"Sign clerks in at a municipality's counter."`
	Minister ministerCmd `cmd:"" group:"country" help:"Sign officials in at the minister's desk."`
	Platform platformCmd `cmd:"" group:"country" help:"Invite people to the platform operator's office."`
	Tenant   tenantCmd   `cmd:"" group:"use" help:"Become a tenant of a platform, to try it with."`

	Config  configCmd  `cmd:"" group:"country" help:"Check configuration files, and say what can stand in them."`
	Backup  backupCmd  `cmd:"" group:"country" help:"Copy a country or one actor, running or not, into one encrypted file."`
	Restore restoreCmd `cmd:"" group:"country" help:"Put a backup back, and begin the new epochs that this needs."`

	Holder    holderCmd    `cmd:"" group:"use" help:"The holder: answer requests of sites with a card."`
	Card      cardCmd      `cmd:"" group:"use" help:"List cards, look at one, try or change its PINs."`
	Sign      signCmd      `cmd:"" group:"use" help:"Sign a document with the signature key of a card (署名用電子証明書)."`
	Filing    filingCmd    `cmd:"" group:"use" help:"Tell whether a signed PDF has the form for registration and deposit (登記・供託), and why not."`
	Preserve  preserveCmd  `cmd:"" group:"use" help:"Put evidence and a time-stamp into a signed PDF, so that it can be checked for years."`
	Verify    verifyCmd    `cmd:"" group:"use" help:"Tell whether a signed document may be accepted, and why."`
	Parse     parseCmd     `cmd:"" group:"use" help:"Show what stands in a certificate, a revocation list, an OCSP response or a request."`
	Timestamp timestampCmd `cmd:"" group:"use" help:"Have a time-stamping authority state that a document exists now (タイムスタンプ)."`

	Verifier verifierCmd `cmd:"" group:"use" help:"Run a verifier of your own: a page and an API, with your trust anchors and revocation lists."`

	Rules      rulesCmd      `cmd:"" group:"about" help:"Print every rule of law that the program knows, with its source."`
	Bench      benchCmd      `cmd:"" group:"about" help:"Measure this machine: how fast signatures are verified."`
	VersionCmd versionCmd    `cmd:"" name:"version" group:"about" help:"Print what this program was built from."`
	Completion completionCmd `cmd:"" group:"about" help:"Print a completion script for a shell."`
}

const description = `Japan's public personal authentication system (公的個人認証サービス) as software: a small country on a laptop, or any actor of a large one.

Begin with:  jitsuin up`

// data is the flag of all commands that know a country.
type data struct {
	Data string `help:"Data folder of the country." default:"./jitsuin-data" env:"JITSUIN_DATA" placeholder:"FOLDER" type:"path"`
}

// newParser makes the parser of the command line into c.
func newParser(c *cli, more ...kong.Option) (*kong.Kong, error) {
	return kong.New(c, append([]kong.Option{kong.Name("jitsuin"), kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{{Key: "country", Title: "A country"}, {Key: "use", Title: "Cards and signatures"}, {Key: "about", Title: "The program itself"}}),
		kong.Vars{"local": site.DefaultLocal, "version": "jitsuin " + programVersion()}}, more...)...)
}

// run parses and runs one command line and gives the exit code.
func run(ctx context.Context, face *ui.Face, args []string) int {
	var c cli
	var done bool // --help or --version has said all
	parser, err := newParser(&c, kong.Writers(face.Out, face.Err), kong.Exit(func(int) { done = true }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(face, newCalls()))
	if err != nil {
		return face.Close(err)
	}
	parsed, err := parser.Parse(args)
	if done {
		return face.Close(nil)
	}
	if err != nil {
		return face.Close(usage(err))
	}
	if c.Lang != "" {
		face.Lang = c.Lang
	}
	face.SetLog(c.Log, c.logLevel(parsed.Selected()))
	return face.Close(parsed.Run())
}

// logLevel is what was asked for, or what suits the command.
func (c *cli) logLevel(command *kong.Node) slog.Level {
	level := slog.LevelWarn
	if command.Name == "serve" { // of an actor or of the verifier
		level = slog.LevelInfo
	}
	if c.LogLevel != "" {
		_ = level.UnmarshalText([]byte(c.LogLevel)) // its values are listed above
	}
	return level
}

// usage makes a usage error of what kong found, with a hint at the help of the command meant.
func usage(err error) error {
	e := ui.Usage("%v", err)
	if p, ok := errors.AsType[*kong.ParseError](err); ok && p.Context != nil && p.Context.Selected() != nil {
		return e.WithHint("jitsuin %s --help shows how it is used", p.Context.Selected().Path())
	}
	return e.WithHint("jitsuin --help shows the commands")
}
