// Package keep speaks with the person who takes a backup or puts one back: it reads passphrases and keys,
// and says what was done and what is lost. It prints no serial number and nothing of what is in a database.
package keep

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"filippo.io/age"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country/backup"
)

// Recipients are who can open a backup.
func Recipients(passphraseFile string, recipients []string, in io.Reader) (to []age.Recipient, err error) {
	if passphraseFile != "" && len(recipients) > 0 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "recipient", "a backup opens by a passphrase or by age keys, not by both")
	}
	if passphraseFile != "" {
		phrase, err := passphrase(passphraseFile, in)
		if err != nil {
			return nil, err
		}
		r, err := age.NewScryptRecipient(phrase)
		return []age.Recipient{r}, err
	}
	for _, text := range recipients {
		r, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "recipient", "%q is no age recipient: %w", text, err).WithHint("it begins with age1; age-keygen makes one")
		}
		to = append(to, r)
	}
	return to, nil
}

// Identities are what opens a backup.
func Identities(passphraseFile, identityFile string, in io.Reader) ([]age.Identity, error) {
	switch {
	case passphraseFile != "":
		phrase, err := passphrase(passphraseFile, in)
		if err != nil {
			return nil, err
		}
		id, err := age.NewScryptIdentity(phrase)
		if err != nil {
			return nil, err
		}
		id.SetMaxWorkFactor(22)
		return []age.Identity{id}, nil
	case identityFile != "":
		f, err := os.Open(identityFile)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		ids, err := age.ParseIdentities(f)
		if err != nil {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "identity", "%s holds no age identities: %w", identityFile, err)
		}
		return ids, nil
	}
	return nil, jitsuin.Errorf(jitsuin.Invalid, "identity-missing", "a backup is encrypted").WithHint("give --passphrase-file or --identity")
}

// shortest is the least length of a passphrase that protects a country.
const shortest = 12

func passphrase(file string, in io.Reader) (string, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", jitsuin.Errorf(jitsuin.Invalid, "passphrase-read", "the passphrase cannot be read: %w", err)
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, 4096))
	if err != nil {
		return "", err
	}
	phrase := strings.TrimRight(string(raw), "\r\n")
	if len(phrase) < shortest {
		return "", jitsuin.Errorf(jitsuin.Invalid, "passphrase-short", "the passphrase has fewer than %d characters", shortest).
			WithHint("it is all that protects private keys and a register; use six random words")
	}
	return phrase, nil
}

// Taken says what a new backup holds.
func Taken(out io.Writer, file string, m backup.Manifest) error {
	if _, err := fmt.Fprintf(out, "%s: written; commits waited %s for the cut\n", file, m.Pause.Round(100*time.Microsecond)); err != nil {
		return err
	}
	return Holds(out, m)
}

// Holds says what a backup holds.
func Holds(out io.Writer, m backup.Manifest) error {
	what := "one actor"
	if m.Country {
		what = "a country"
	}
	size := int64(0)
	for _, f := range m.Files {
		size += f.Size
	}
	fmt.Fprintf(out, "backup %s of %s, taken %s by %s: %d files, %.1f MiB, all as they were\n",
		m.ID, what, m.TakenAt.In(jitsuin.JST).Format(time.RFC3339), m.Version, len(m.Files), float64(size)/(1<<20))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, a := range m.Actors {
		fmt.Fprintf(table, "  %s\tdatabase %s\t%s\n", a.Instance, a.Database, positions(a.Sent))
		if a.Signatures > 0 {
			fmt.Fprintf(table, "  \tjournal of signatures\tup to %d, serial epoch %d\n", a.Signatures, a.Epoch)
		}
	}
	return table.Flush()
}

func positions(sent map[string]jitsuin.Position) string {
	var all []string
	for _, topic := range slices.Sorted(maps.Keys(sent)) {
		all = append(all, topic+" "+sent[topic].String())
	}
	return strings.Join(all, ", ")
}

// Restored says what was put back, what begins anew, and what is lost.
func Restored(out io.Writer, m backup.Manifest, results []backup.Result) error {
	if m.ID != "" {
		fmt.Fprintf(out, "restored from backup %s of %s\n", m.ID, m.TakenAt.In(jitsuin.JST).Format(time.RFC3339))
	}
	for _, r := range results {
		if r.Epoch == 0 {
			fmt.Fprintf(out, "%s: chips that are here stay as they are\n", r.Instance)
			continue
		}
		fmt.Fprintf(out, "%s: feeds begin epoch %d\n", r.Instance, r.Epoch)
		for _, topic := range slices.Sorted(maps.Keys(r.Lost)) {
			fmt.Fprintf(out, "  feed %s had come to %s; the backup has %s\n", topic, r.Lost[topic], r.Sent[topic])
		}
		if r.Recovery != nil {
			recovery(out, *r.Recovery)
		}
	}
	_, err := fmt.Fprintf(out, "Acts recorded after the backup are lost where no other actor has them. Start, and look at /readyz of each.\n")
	return err
}

// recovery is J-LIS's account, without serial numbers.
func recovery(out io.Writer, r backup.Recovery) {
	fmt.Fprintf(out, "  serial numbers begin epoch %d\n", r.Epoch)
	for _, kind := range slices.Sorted(maps.Keys(r.Dead)) {
		fmt.Fprintf(out, "  %d %s certificates issued since, or being issued then, are declared dead; their applications are taken up again\n", r.Dead[kind], kind)
	}
	if len(r.Unknown) > 0 {
		fmt.Fprintf(out, "  %d signatures of which the database knows nothing:\n", len(r.Unknown))
		table := tabwriter.NewWriter(out, 4, 0, 2, ' ', 0)
		for _, u := range r.Unknown {
			fmt.Fprintf(table, "    no. %d\t%s\t%s\t%s\tsha256 %x\n", u.Counter, u.Key, u.Purpose, u.At.Format(time.RFC3339), u.Digest[:8])
		}
		table.Flush()
	}
	if r.Nameless > 0 {
		fmt.Fprintf(out, "  WARNING: %d of them are certificates that cannot be put on a revocation list; OCSP says unknown of them\n", r.Nameless)
	}
}
