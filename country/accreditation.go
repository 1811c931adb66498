package country

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	minister "github.com/jitsuin/jitsuin/minister/api"
)

// The sample platform's application for accreditation: applicationFolder of the data folder has the application's file and its
// documents. They are invented, and written once: what is changed there stays.
const (
	applicationFolder = "application"
	applicationName   = "application.yaml"
	sampleOfficial    = "主務 例子" // who examines and decides when a country is made
)

//go:embed application
var applicationFiles embed.FS

// writeApplication lays the sample platform's application down, where there is none.
func (f Folder) writeApplication() error {
	if _, err := os.Stat(f.Path(applicationFolder, applicationName)); err == nil {
		return nil
	}
	if err := os.MkdirAll(f.Path(applicationFolder), 0o700); err != nil {
		return err
	}
	names, err := fs.Glob(applicationFiles, applicationFolder+"/*.txt")
	if err != nil {
		return err
	}
	for _, name := range append(names, path.Join(applicationFolder, applicationName)) { // last: with it the folder is whole
		content, err := applicationFiles.ReadFile(name)
		if err != nil {
			return err
		}
		if err := replace(f.Path(filepath.FromSlash(name)), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// AccreditPlatform has the sample platform accredited as a private operator is: its operator files the application, an official
// accepts each criterion and grants it. Where it stands accredited already nothing is done; where something was begun it goes on.
func (f Folder) AccreditPlatform(ctx context.Context) error {
	remote, err := f.Remote(Official, Minister)
	if err != nil {
		return err
	}
	defer remote.Close()
	office := minister.Client{Remote: remote}
	now, err := CivilNow(ctx, f)
	if err != nil {
		return err
	}
	all, err := office.List(ctx)
	if err != nil {
		return err
	}
	today := jitsuin.DateOf(now.Now)
	for _, a := range all {
		if a.Verifier == Platform && a.State != minister.Withdrawn && (a.Until.IsZero() || !today.After(a.Until)) {
			return nil
		}
	}
	application, err := f.openApplication(ctx, office)
	if err != nil {
		return err
	}
	for _, e := range application.Examination {
		if e.Outcome == minister.Accepted {
			continue
		}
		r := minister.ExaminationRequest{Criterion: e.Criterion, Outcome: minister.Accepted, Official: sampleOfficial}
		if _, err := office.Examine(ctx, application.ID, r, string(jitsuin.NewID())); err != nil {
			return fmt.Errorf("examine %s: %w", e.Criterion, err)
		}
	}
	_, err = office.Conclude(ctx, application.ID, minister.Verdict{State: minister.Granted, Official: sampleOfficial}, string(jitsuin.NewID()))
	return err
}

// openApplication finds the platform's application that waits, or has the platform's operator file one.
func (f Folder) openApplication(ctx context.Context, office minister.Client) (minister.Application, error) {
	all, err := office.Applications(ctx)
	if err != nil {
		return minister.Application{}, err
	}
	for _, a := range all {
		if a.Verifier == Platform && a.State == minister.Received {
			return a, nil
		}
	}
	remote, err := f.Remote(Operator, Platform)
	if err != nil {
		return minister.Application{}, err
	}
	defer remote.Close()
	var filed minister.Application
	err = remote.Call(ctx, "POST", "/v1/accreditation/application", string(jitsuin.NewID()), nil, &filed)
	return filed, err
}
