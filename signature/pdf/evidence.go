package pdf

import "github.com/jitsuin/jitsuin"

// Evidence is what the document security store holds for judging signatures later (EN 319 142-1
// §5.4). Anybody may have added it.
type Evidence struct {
	Revision                  int // the newest revision that changed the store's dictionary, -1 where there is none
	Certificates, CRLs, OCSPs [][]byte
}

// maxPieces is how many certificates, lists and responses are taken from a store.
const maxPieces = 256

// Evidence reads the document security store as it is now, that of /VRI with it. Pieces that cannot
// be read are left out.
func (d *Document) Evidence() Evidence {
	e := Evidence{Revision: -1}
	v := d.Current()
	c, root, err := v.Catalog()
	if err != nil || !c.Has("DSS") {
		return e
	}
	holder := root
	if ref, ok := c.Get("DSS").(Ref); ok {
		holder = ref
	}
	dss, err := v.Dict(c.Get("DSS"))
	if err != nil || dss == nil {
		return e
	}
	if s, _, ok, err := v.where(holder.Num); err == nil && ok {
		e.Revision = s.revision
	}
	w := storeWalk{v: v, e: &e, seen: map[int]bool{}}
	w.lists(dss, "Certs", "CRLs", "OCSPs")
	if vri, err := v.Dict(dss.Get("VRI")); err == nil && vri != nil {
		for _, one := range vri.Entries {
			if dict, err := v.Dict(one.Value); err == nil && dict != nil {
				w.lists(dict, "Cert", "CRL", "OCSP")
			}
		}
	}
	return e
}

// storeWalk collects streams, each once.
type storeWalk struct {
	v    View
	e    *Evidence
	seen map[int]bool
}

func (w *storeWalk) lists(dict *Dict, certs, crls, ocsps Name) {
	w.list(dict.Get(certs), &w.e.Certificates)
	w.list(dict.Get(crls), &w.e.CRLs)
	w.list(dict.Get(ocsps), &w.e.OCSPs)
}

func (w *storeWalk) list(o Object, to *[][]byte) {
	a, err := w.v.Array(o)
	if err != nil {
		return
	}
	for _, one := range a {
		ref, ok := one.(Ref)
		if !ok || w.seen[ref.Num] || len(w.seen) == maxPieces {
			continue
		}
		w.seen[ref.Num] = true
		if b, err := w.stream(ref); err == nil {
			*to = append(*to, b)
		}
	}
}

func (w *storeWalk) stream(ref Ref) ([]byte, error) {
	o, err := w.v.Object(ref)
	if err != nil {
		return nil, err
	}
	st, ok := o.(*Stream)
	if !ok {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-malformed", "object %d is no stream", ref.Num)
	}
	return w.v.Decode(st)
}
