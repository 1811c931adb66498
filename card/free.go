package card

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"slices"
)

// Commands of the free area (空き領域): the applications of others on the card. How real cards do this is not public;
// the instructions are GlobalPlatform's where it has them, the data are ours. All of them work in the issuer's domain,
// which is current after a reset.
//
//	80 82 00 01 Lc data   EXTERNAL AUTHENTICATE with a ticket (231 bytes, see Ticket and SignTicket): the provider may act on
//	                      its application until something else is selected. 6300 refused; 6985 no challenge of 32 bytes, or
//	                      a device without a free area. Ours.
//	80 E6 04 00 Lc data   INSTALL [for install]: lays the application out, empty. Nobody can select it yet; one that was left
//	                      in this state is replaced. 6985 one that can be selected is there, 6A84 no room. See InstallData.
//	80 E2 P1 P2 Lc data   STORE DATA: parts of what is written, P2 counts them from 00, P1 is 00, and 80 for the last one. Only with
//	                      the last anything is written, all of it by one Store. The parts together are a list of
//	                      identifier (2) ‖ length (1, or FF and 2) ‖ value: contents of an EF, a PIN, the point of the
//	                      readers' authority, a private key of 32 bytes, or nothing, which has the card make the key.
//	80 46 81 P2 Le        GENERATE ASYMMETRIC KEY PAIR, P1 81 as ISO 7816-8 has it: the public key in key file 80|sfi, as
//	                      7F49 { 86 point }. For the provider in the issuer's domain, and inside the application, where the
//	                      key's rule holds.
//	80 E6 08 00 Lc data   INSTALL [for make selectable]: from now on the application can be selected, by its whole name.
//	80 E4 00 00 Lc data   DELETE 4F { name }: for the provider, and for the terminals of counters and production, because
//	                      whoever holds the card may have it taken off there.
//	80 F2 40 00 02 4F00   GET STATUS: E3 { 4F name, 9F70 state } for each application, for counters and production; a
//	                      provider sees its own. State 03 installed, 07 selectable.
//
// Inside an application of the free area freeCommands is all there is: no command there writes anything but a PIN.
var freeCommands = commandTable{
	0x0020: (*Chip).verify,
	0x0024: (*Chip).changeReferenceData,
	0x0084: (*Chip).getChallenge,
	0x0088: (*Chip).proveFree,
	0x00A4: (*Chip).selectFile,
	0x00B0: (*Chip).readBinary,
	0x8046: (*Chip).freePublicKey,
	0x8082: (*Chip).authenticateReader,
}

// P2 of EXTERNAL AUTHENTICATE.
const (
	byProvider = 0x01
	byReader   = 0x02
)

// P1 of INSTALL, and of GENERATE ASYMMETRIC KEY PAIR.
const (
	forInstall        = 0x04
	forMakeSelectable = 0x08
	accessPublicKey   = 0x81
)

const (
	lastPart      = 0x80
	maxStoredData = FreeArea + 1024
)

// serial gives the chip's serial number as EF 0006 of the JPKI application has it.
func (c *Chip) serial() string {
	const at, end = 80, 96
	if app := c.image.application([]byte(AIDJPKI)); app != nil {
		if f := app.file(FileTokenInfo); f != nil && len(f.Content) >= end {
			return string(f.Content[at:end])
		}
	}
	return ""
}

// hasFreeArea tells whether the device has one: cards have, telephones do not.
func (c *Chip) hasFreeArea() bool {
	p, err := ProfileNamed(c.image.Profile)
	return err == nil && p.Face
}

func (c *Chip) inIssuerDomain() bool { return c.session.app == c.image.Applications[0] }

// dropParts forgets what STORE DATA has brought so far.
func (c *Chip) dropParts() {
	clear(c.session.parts)
	c.session.parts, c.session.nextPart = nil, 0
}

// authenticateProvider is EXTERNAL AUTHENTICATE with a ticket.
func (c *Chip) authenticateProvider(cmd Command) ([]byte, SW) {
	challenge := c.beginAuthentication()
	switch {
	case len(cmd.Data) != ticketSize+signatureSize:
		return nil, SWWrongLength
	case len(challenge) != ticketChallenge || !c.inIssuerDomain() || !c.hasFreeArea():
		return nil, SWConditions
	}
	ticket, ok := checkTicket(c.image.Authority, c.serial(), cmd.Data, challenge)
	if !ok {
		return nil, SWNotVerified
	}
	c.session.provider = &ticket
	return nil, SWOK
}

// authenticateReader is EXTERNAL AUTHENTICATE inside an application of the free area: P2 02, a reader's certificate ‖
// its signature (193 bytes, see SignReader).
func (c *Chip) authenticateReader(cmd Command) ([]byte, SW) {
	if cmd.P1 != 0 || cmd.P2 != byReader {
		return nil, SWWrongP1P2
	}
	challenge, app := c.beginAuthentication(), c.session.app
	switch {
	case len(cmd.Data) != readerCertificateSize+signatureSize:
		return nil, SWWrongLength
	case len(challenge) < challengeMin:
		return nil, SWConditions
	case len(app.Free.Readers) == 0 || !checkReader(app.Free.Readers, app.AID, cmd.Data, challenge):
		return nil, SWNotVerified
	}
	c.session.terminal = roleReader
	return nil, SWOK
}

// may tells whether the provider in this session has the operation.
func (c *Chip) may(o Operations) bool {
	return c.session.provider != nil && c.session.provider.Operations&o != 0
}

// free finds an application of the free area, also one that cannot be selected yet.
func (im *image) free(aid []byte) int {
	return slices.IndexFunc(im.Applications, func(a *application) bool { return a.Free != nil && bytes.Equal(a.AID, aid) })
}

// install is INSTALL (80 E6).
func (c *Chip) install(cmd Command) ([]byte, SW) {
	if cmd.P1 != forInstall && cmd.P1 != forMakeSelectable || cmd.P2 != 0 {
		return nil, SWWrongP1P2
	}
	if !c.may(OpLoad) {
		return nil, SWSecurityStatus
	}
	aid, files, ok := splitInstall(cmd.Data)
	switch {
	case !ok:
		return nil, SWWrongData
	case !bytes.Equal(aid, c.session.provider.AID):
		return nil, SWSecurityStatus
	case cmd.P1 == forMakeSelectable:
		return nil, c.makeSelectable(aid, files)
	}
	described, ok := decodeFree(bytes.Clone(aid), files)
	if !ok {
		return nil, SWWrongData
	}
	return nil, c.layFree(described)
}

// layFree puts an empty application into the image, if there is room for it.
func (c *Chip) layFree(described FreeApplication) SW {
	at := c.image.free(described.AID)
	if at >= 0 && c.image.Applications[at].Free.Selectable {
		return SWConditions
	}
	room, count := described.Room(), 1
	for i, app := range c.image.Applications {
		switch {
		case i == at:
		case AIDsCollide(app.AID, described.AID):
			return SWConditions
		case app.Free != nil:
			room += app.Free.Room
			count++
		}
	}
	if room > FreeArea || count > maxFreeApps || described.Room() > c.session.provider.Bytes {
		return SWNoSpace
	}
	if at >= 0 {
		c.image.Applications[at] = described.lay()
	} else {
		c.image.Applications = append(c.image.Applications, described.lay())
	}
	c.dropParts()
	return c.stored()
}

func (c *Chip) stored() SW {
	if !c.store() {
		return SWMemoryFailure
	}
	return SWOK
}

// makeSelectable ends the making of an application. It must have got all its keys and PINs by then.
func (c *Chip) makeSelectable(aid, files []byte) SW {
	at := c.image.free(aid)
	switch {
	case len(files) > 0:
		return SWWrongData
	case at < 0:
		return SWReferencedNotFound
	}
	app := c.image.Applications[at]
	for _, f := range app.Files {
		if f.Key != nil && f.Key.Active == nil || f.PIN != nil && len(f.PIN.Digest) == 0 {
			return SWConditions
		}
	}
	if app.Free.ReaderFile != 0 && len(app.Free.Readers) == 0 {
		return SWConditions
	}
	app.Free.Selectable = true
	return c.stored()
}

// storeData is STORE DATA (80 E2). After any refusal the parts begin again at 00.
func (c *Chip) storeData(cmd Command) ([]byte, SW) {
	s := &c.session
	switch {
	case !c.may(OpPersonalise):
		return nil, SWSecurityStatus
	case cmd.P1 != 0 && cmd.P1 != lastPart:
		return nil, SWWrongP1P2
	case len(cmd.Data) == 0:
		c.dropParts()
		return nil, SWWrongLength
	case cmd.P2 != s.nextPart:
		c.dropParts()
		return nil, SWWrongP1P2
	case len(s.parts)+len(cmd.Data) > maxStoredData:
		c.dropParts()
		return nil, SWNoSpace
	}
	s.parts, s.nextPart = append(s.parts, cmd.Data...), s.nextPart+1
	if cmd.P1 != lastPart {
		return nil, SWOK
	}
	sw := c.personalise(s.parts)
	c.dropParts()
	return nil, sw
}

// personalise writes all items or none: into a copy of the application, which then takes its place in the image.
func (c *Chip) personalise(items []byte) SW {
	at := c.image.free(c.session.provider.AID)
	if at < 0 {
		return SWReferencedNotFound
	}
	app, err := c.image.Applications[at].clone()
	if err != nil {
		return SWMemoryFailure
	}
	written := map[uint16]bool{}
	for len(items) > 0 {
		id, value, rest, ok := cutItem(items)
		if !ok || written[id] {
			return SWWrongData
		}
		written[id], items = true, rest
		if sw := app.take(id, value); sw != SWOK {
			return sw
		}
	}
	c.image.Applications[at] = app
	return c.stored()
}

// clone copies an application by the form in which it is kept.
func (a *application) clone() (*application, error) {
	b, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	out := &application{}
	return out, json.Unmarshal(b, out)
}

// cutItem takes the first item off: identifier, length in one byte or FF and two, value.
func cutItem(b []byte) (id uint16, value, rest []byte, ok bool) {
	if len(b) < 3 {
		return 0, nil, nil, false
	}
	id, n, b := binary.BigEndian.Uint16(b), int(b[2]), b[3:]
	if n == 0xFF {
		if len(b) < 2 {
			return 0, nil, nil, false
		}
		n, b = int(binary.BigEndian.Uint16(b)), b[2:]
	}
	if len(b) < n {
		return 0, nil, nil, false
	}
	return id, b[:n], b[n:], true
}

// take writes one item into the application.
func (a *application) take(id uint16, value []byte) SW {
	f := a.file(id)
	switch {
	case f == nil:
		return SWReferencedNotFound
	case id == a.Free.ReaderFile:
		if _, err := decodePoint(value); err != nil {
			return SWWrongData
		}
		a.Free.Readers = bytes.Clone(value)
	case f.Kind == transparent && len(value) > f.Max:
		return SWNoSpace
	case f.Kind == transparent:
		f.Content = bytes.Clone(value)
	case f.Kind == pinFile && !f.PIN.Format.accepts(value):
		return SWWrongData
	case f.Kind == pinFile:
		f.PIN.set(value)
	case f.Kind == keyFile:
		return f.Key.takeP256(value)
	default:
		return SWIncompatibleFile
	}
	return SWOK
}

// takeP256 makes the key, or takes the private key that is brought.
func (k *keyState) takeP256(value []byte) SW {
	var key *ecdsa.PrivateKey
	var err error
	if len(value) == 0 {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		key, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), value)
	}
	if err != nil {
		return SWWrongData
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return SWFunction
	}
	k.Active = &keyPair{PKCS8: pkcs8}
	return SWOK
}

// deleteApplication is DELETE (80 E4).
func (c *Chip) deleteApplication(cmd Command) ([]byte, SW) {
	byTerminal := c.session.terminal == RoleCounter || c.session.terminal == RoleProduction
	switch {
	case cmd.P1 != 0 || cmd.P2 != 0:
		return nil, SWWrongP1P2
	case !c.inIssuerDomain() || !byTerminal && !c.may(OpDelete):
		return nil, SWSecurityStatus
	case len(cmd.Data) < 2 || cmd.Data[0] != 0x4F || int(cmd.Data[1]) != len(cmd.Data)-2:
		return nil, SWWrongData
	}
	aid := cmd.Data[2:]
	if !byTerminal && !bytes.Equal(aid, c.session.provider.AID) {
		return nil, SWSecurityStatus
	}
	at := c.image.free(aid)
	if at < 0 {
		return nil, SWReferencedNotFound
	}
	c.image.Applications = slices.Delete(c.image.Applications, at, at+1)
	c.dropParts()
	return nil, c.stored()
}

// getStatus is GET STATUS (80 F2 40).
func (c *Chip) getStatus(cmd Command) ([]byte, SW) {
	byTerminal := c.session.terminal == RoleCounter || c.session.terminal == RoleProduction
	switch {
	case cmd.P1 != 0x40 || cmd.P2 != 0:
		return nil, SWWrongP1P2
	case !c.inIssuerDomain() || !byTerminal && c.session.provider == nil:
		return nil, SWSecurityStatus
	case !bytes.Equal(cmd.Data, []byte{0x4F, 0x00}):
		return nil, SWWrongData
	}
	var out []byte
	for _, app := range c.image.Applications {
		if app.Free == nil || !byTerminal && !bytes.Equal(app.AID, c.session.provider.AID) {
			continue
		}
		state := byte(0x03)
		if app.Free.Selectable {
			state = 0x07
		}
		out = append(out, 0xE3, byte(len(app.AID)+6), 0x4F, byte(len(app.AID)))
		out = append(append(out, app.AID...), 0x9F, 0x70, 0x01, state)
	}
	switch {
	case len(out) == 0:
		return nil, SWReferencedNotFound
	case cmd.Le < len(out):
		return nil, SWWrongLength
	}
	return out, SWOK
}
