// Package phone is a telephone with certificates (移動端末設備用電子証明書): a chip in a folder of its own, of one of the profiles of a
// telephone, with what the telephone's system does around it: it makes the keys, shows that it has them, takes the
// certificates in, and lets a sensor stand for the PIN.
//
// It owns the folder: chip.image, terminal.pem (the system's key, which the secure element trusts), phone.json, and with biometrics
// on sensor.key and sealed.json. It never keeps a PIN, with one exception that it is there for: where the person
// wants biometrics in place of the PIN, the PINs of this telephone, never those of a card, lie sealed under a key
// that only the sensor releases. In a real telephone that key lies in its key store; here it is a file of mode 0600
// beside them, which is as good as a sandbox gets. It knows no network and no authority.
package phone
