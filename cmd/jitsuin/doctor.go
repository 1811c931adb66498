package main

import (
	"context"
	"fmt"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country/doctor"
)

type doctorCmd struct {
	data
	Config string `help:"Look at one actor by its configuration file (YAML), in place of a whole folder." placeholder:"FILE" type:"path"`
	JSON   bool   `help:"Print the findings as JSON, for programs."`
	All    bool   `help:"Print every check that passed, too."`
}

func (doctorCmd) Help() string {
	return `It only looks, also beside a country that runs. Exit 0 where all is well, 1 where a person must act. ✓ well, ! worth knowing, ✕ wrong.

Example:  jitsuin doctor --data jitsuin-data`
}

func (c *doctorCmd) Run(ctx context.Context, face *ui.Face) error {
	o := doctor.Options{Data: c.Data, Config: c.Config}
	if c.Config != "" {
		o.Data = ""
	}
	report, err := doctor.Examine(ctx, o)
	if err != nil {
		return err
	}
	if c.JSON {
		err = report.WriteJSON(face.Out, face.Lang)
	} else {
		err = c.print(face, report)
	}
	if err == nil && report.Wrong() {
		return ui.Status(1)
	}
	return err
}

// print is for a person: what is wrong comes last, where it is seen.
func (c *doctorCmd) print(face *ui.Face, report doctor.Report) error {
	codes := map[doctor.Level]int{doctor.Well: 0, doctor.Wrong: 1, doctor.Note: 2}
	for _, line := range report.Lines(face.Lang, c.All) {
		if _, err := fmt.Fprintln(face.Out, face.Judged(line.Text, codes[line.Level])); err != nil {
			return err
		}
	}
	code := 0
	if report.Wrong() {
		code = 1
	}
	_, err := fmt.Fprintln(face.Out, face.Judged(report.Summary(face.Lang), code))
	return err
}
