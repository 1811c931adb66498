// Package desk is the pages at the minister's origin: the public register of verifiers (署名検証者の公表), and below /desk/ the desk of
// the officials who examine applications, decide, suspend and look after audits.
//
// It owns pages and the officials' sign-in. What happens is the office's (Office): the pages decide nothing, and give the name of
// who sits there to every act.
package desk
