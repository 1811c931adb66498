// Package securities is a securities firm (証券会社) that opens accounts for people who sign its
// application with their card, and lets them log in with it. It is the example to copy: everything that it
// knows of the public personal authentication system comes through package client.
//
// It owns its customers, by the platform's pairwise user id, their accounts, and for each account the
// confirmation record (確認記録) with the application as it was signed. The signature is kept whole, as the
// attachment that the law asks for; the firm reads no certificate out of it. It must never see a PIN, never
// make a serial number anybody's id, and never take a login for an identity verification: name and address
// come with the signature over the firm's own form, and from nowhere else.
//
// Where to begin, in the order of a customer's way: form.go (what is signed), start.go (an application is
// drawn and the browser led to its holder), answer.go (the holder answers), decide.go (the platform is asked,
// and the firm decides), account.go and record.go (what is kept), return.go (the browser comes back),
// login.go and holderlogin.go (利用者証明用電子証明書), pages.go.
package securities
