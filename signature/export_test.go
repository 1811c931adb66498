package signature

import (
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// OfFault, OfPath and EachReason open the tables to the tests.
func OfFault(f cms.Fault) (Verdict, SubIndication, Reason) {
	c := faults[f]
	return c.verdict, c.sub, reasonOf(c.reason)
}

func OfPath(e *cert.PathError) (Verdict, SubIndication, Reason) {
	c := pathConclusion(e)
	return c.verdict, c.sub, reasonOf(c.reason)
}

func EachReason(f func(Reason)) {
	for code := range reasonTexts {
		f(reasonOf(code))
	}
}
