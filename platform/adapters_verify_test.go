package platform_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// verifySchema has the names of the API, as its maker publishes them. The numbers are of this test alone, for
// the published pages have none: in JSON no number is ever written.
const verifySchema = `
name: "verify.proto" package: "pocketsign.verify.v2" syntax: "proto3"
enum_type { name: "Hash" value { name: "HASH_ALGORITHM_UNSPECIFIED" number: 0 } value { name: "HASH_ALGORITHM_SHA256" number: 1 } }
enum_type { name: "Result" value { name: "RESULT_UNSPECIFIED" number: 0 } value { name: "RESULT_OK" number: 1 } value { name: "RESULT_SIGNATURE_MISMATCH" number: 2 }
	value { name: "RESULT_CERTIFICATE_REVOKED" number: 3 } value { name: "RESULT_CERTIFICATE_EXPIRED" number: 4 } }
enum_type { name: "Type" value { name: "TYPE_UNSPECIFIED" number: 0 } value { name: "TYPE_JPKI_CARD_DIGITAL_SIGNATURE" number: 1 } value { name: "TYPE_JPKI_CARD_USER_AUTHENTICATION" number: 2 } }
enum_type { name: "Status" value { name: "STATUS_UNSPECIFIED" number: 0 } value { name: "STATUS_GOOD" number: 1 } value { name: "STATUS_REVOKED" number: 2 } value { name: "STATUS_UNKNOWN" number: 3 } }
enum_type { name: "State" value { name: "STATE_UNSPECIFIED" number: 0 } value { name: "STATE_GOOD" number: 1 } value { name: "STATE_REVOKED" number: 2 } value { name: "STATE_EXPIRED" number: 3 } value { name: "STATE_UNKNOWN" number: 4 } }
enum_type { name: "Method" value { name: "CHECK_METHOD_UNSPECIFIED" number: 0 } value { name: "CHECK_METHOD_CRL" number: 1 } value { name: "CHECK_METHOD_OCSP" number: 2 } }
enum_type { name: "Purpose" value { name: "CHECK_PURPOSE_UNSPECIFIED" number: 0 } value { name: "CHECK_PURPOSE_SIGNATURE_VERIFICATION" number: 1 } value { name: "CHECK_PURPOSE_LIVENESS_CHECK" number: 2 } }
enum_type { name: "Reason" value { name: "CRL_REASON_UNSPECIFIED" number: 0 } value { name: "CRL_REASON_AFFILIATION_CHANGED" number: 3 } }
message_type { name: "VerifyRequest"
	field { name: "certificate" number: 1 label: LABEL_OPTIONAL type: TYPE_BYTES } field { name: "hash_algorithm" number: 2 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".pocketsign.verify.v2.Hash" }
	field { name: "digest" number: 3 label: LABEL_OPTIONAL type: TYPE_BYTES } field { name: "signature" number: 4 label: LABEL_OPTIONAL type: TYPE_BYTES }
	field { name: "check_method" number: 5 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".pocketsign.verify.v2.Method" } field { name: "identify_user" number: 6 label: LABEL_OPTIONAL type: TYPE_BOOL }
	field { name: "verification_id" number: 7 label: LABEL_OPTIONAL type: TYPE_STRING } field { name: "user_id" number: 8 label: LABEL_OPTIONAL type: TYPE_STRING } field { name: "certificate_id" number: 9 label: LABEL_OPTIONAL type: TYPE_STRING } }
message_type { name: "Verification"
	field { name: "id" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING } field { name: "result" number: 2 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".pocketsign.verify.v2.Result" }
	field { name: "hash_algorithm" number: 3 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".pocketsign.verify.v2.Hash" } field { name: "digest" number: 4 label: LABEL_OPTIONAL type: TYPE_BYTES }
	field { name: "signature" number: 5 label: LABEL_OPTIONAL type: TYPE_BYTES } field { name: "created_at" number: 6 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" } }
message_type { name: "Certificate"
	field { name: "id" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING } field { name: "type" number: 2 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".pocketsign.verify.v2.Type" }
	field { name: "created_at" number: 3 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" } }
message_type { name: "CertificateStatus"
	field { name: "id" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING } field { name: "status" number: 2 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".pocketsign.verify.v2.Status" }
	field { name: "check_method" number: 3 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".pocketsign.verify.v2.Method" } field { name: "check_purpose" number: 4 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".pocketsign.verify.v2.Purpose" }
	field { name: "source_updated_at" number: 5 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" } field { name: "revoked_at" number: 6 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" }
	field { name: "revocation_reason" number: 7 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".pocketsign.verify.v2.Reason" } field { name: "created_at" number: 8 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" } }
message_type { name: "SignContent"
	field { name: "common_name" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING } field { name: "substitute_character_of_common_name" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING }
	field { name: "gender" number: 3 label: LABEL_OPTIONAL type: TYPE_STRING } field { name: "date_of_birth" number: 4 label: LABEL_OPTIONAL type: TYPE_STRING }
	field { name: "address" number: 5 label: LABEL_OPTIONAL type: TYPE_STRING } field { name: "substitute_character_of_address" number: 6 label: LABEL_OPTIONAL type: TYPE_STRING } }
message_type { name: "AuthContent" }
message_type { name: "Validity"
	field { name: "not_before" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" } field { name: "not_after" number: 2 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" } }
message_type { name: "CertificateContent" oneof_decl { name: "type_specific_content" }
	field { name: "subject" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING } field { name: "validity" number: 2 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".pocketsign.verify.v2.Validity" }
	field { name: "crl_distribution_point" number: 3 label: LABEL_OPTIONAL type: TYPE_STRING }
	field { name: "jpki_card_digital_signature_content" number: 4 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".pocketsign.verify.v2.SignContent" oneof_index: 0 }
	field { name: "jpki_card_user_authentication_content" number: 5 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".pocketsign.verify.v2.AuthContent" oneof_index: 0 } }
message_type { name: "User" field { name: "id" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING } field { name: "created_at" number: 2 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" } }
message_type { name: "VerifyResponse"
	field { name: "verification" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".pocketsign.verify.v2.Verification" } field { name: "certificate" number: 2 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".pocketsign.verify.v2.Certificate" }
	field { name: "certificate_status" number: 3 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".pocketsign.verify.v2.CertificateStatus" } field { name: "certificate_content" number: 4 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".pocketsign.verify.v2.CertificateContent" }
	field { name: "user" number: 5 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".pocketsign.verify.v2.User" } field { name: "is_new_user" number: 6 label: LABEL_OPTIONAL type: TYPE_BOOL }
	field { name: "certificate_state" number: 7 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".pocketsign.verify.v2.State" } }
dependency: "google/protobuf/timestamp.proto"
`

// verifyClient is a client of the API made by connect-go, the library that the API's own clients are made with.
type verifyClient struct {
	t           *testing.T
	base, token string
	request     protoreflect.MessageDescriptor
	response    protoreflect.MessageDescriptor
	options     []connect.ClientOption
}

func (b *bank) verifyClient(token string, options ...connect.ClientOption) *verifyClient {
	b.t.Helper()
	var f descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(verifySchema), &f); err != nil {
		b.t.Fatal(err)
	}
	file, err := protodesc.NewFile(&f, protoregistry.GlobalFiles)
	if err != nil {
		b.t.Fatal(err)
	}
	return &verifyClient{b.t, b.Origin + "/adapters/verify-v2", token, file.Messages().ByName("VerifyRequest"), file.Messages().ByName("VerifyResponse"), options}
}

// call calls a method with a request in protobuf's text form for JSON, and gives the response.
func (c *verifyClient) call(method, request string) (*dynamicpb.Message, error) {
	c.t.Helper()
	in := dynamicpb.NewMessage(c.request)
	if err := protojson.Unmarshal([]byte(request), in); err != nil {
		c.t.Fatal(err)
	}
	options := append([]connect.ClientOption{connect.WithResponseInitializer(func(_ connect.Spec, msg any) error {
		*msg.(*dynamicpb.Message) = *dynamicpb.NewMessage(c.response)
		return nil
	})}, c.options...)
	client := connect.NewClient[dynamicpb.Message, dynamicpb.Message](http.DefaultClient, c.base+"/pocketsign.verify.v2."+method, options...)
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	req := connect.NewRequest(in)
	req.Header().Set("Authorization", "Bearer "+c.token)
	resp, err := client.CallUnary(ctx, req)
	if err != nil {
		return nil, err
	}
	return resp.Msg, nil
}

// get reads a value by its path, such as user.id; enumerations by name, and "" where a message on the way is absent.
func get(m protoreflect.Message, path string) string {
	name, rest, more := strings.Cut(path, ".")
	f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	switch {
	case f == nil:
		return "no such member: " + name
	case f.Message() != nil && !m.Has(f):
		return ""
	case more:
		return get(m.Get(f).Message(), rest)
	case f.Enum() != nil:
		return string(f.Enum().Values().ByNumber(m.Get(f).Enum()).Name())
	case f.Kind() == protoreflect.BytesKind:
		return base64.StdEncoding.EncodeToString(m.Get(f).Bytes())
	case f.Message() != nil:
		return "there"
	}
	return m.Get(f).String()
}

func (c *verifyClient) wants(m *dynamicpb.Message, err error, want map[string]string) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	for path, v := range want {
		if got := get(m, path); got != v {
			c.t.Errorf("%s is %q, want %q", path, got, v)
		}
	}
}

// refused checks the code of an error, and the reason in its details, "" for none.
func (c *verifyClient) refused(what string, err error, code connect.Code, reason string) {
	c.t.Helper()
	e, ok := errors.AsType[*connect.Error](err)
	if !ok || e.Code() != code {
		c.t.Errorf("%s: %v, want %v", what, err, code)
		return
	}
	got := ""
	for _, d := range e.Details() {
		if d.Type() == "google.rpc.ErrorInfo" && bytes.Contains(d.Bytes(), []byte(reason)) {
			got = reason
		}
	}
	if got != reason {
		c.t.Errorf("%s: no detail says %s", what, reason)
	}
}

func verifyRequest(t *testing.T, c platformtest.Credential, text string) string {
	t.Helper()
	digest, value := rawSign(t, c, text)
	b64 := base64.StdEncoding.EncodeToString
	return `{"certificate":"` + b64(c.Cert.Raw) + `","hashAlgorithm":"HASH_ALGORITHM_SHA256","digest":"` + b64(digest) + `","signature":"` + b64(value) +
		`","checkMethod":"CHECK_METHOD_CRL","identifyUser":true}`
}

// Code that was written for Verify v2 runs against this platform: a client by connect-go sends what the published
// example sends, and reads what it reads.
func TestVerifyV2(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		other := b.Register("tenant:other", origin)
		hanako := b.Agency.Resident("霧島　花子")
		c := b.verifyClient(b.token(b.tenant, api.ScopeVerify), connect.WithProtoJSON())
		theirs := b.verifyClient(b.token(other, api.ScopeVerify), connect.WithProtoJSON())
		const verify, getVerification, userStatus = "VerificationService/Verify", "VerificationService/GetVerification", "UserService/CheckUserStatus"
		digest := sha256.Sum256([]byte("利用規約に同意します。"))
		ask := verifyRequest(t, hanako.Sign, "利用規約に同意します。")
		first, err := c.call(verify, ask)
		c.wants(first, err, map[string]string{"verification.result": "RESULT_OK", "verification.hash_algorithm": "HASH_ALGORITHM_SHA256",
			"verification.digest": base64.StdEncoding.EncodeToString(digest[:]), "verification.created_at": "there",
			"certificate.type": "TYPE_JPKI_CARD_DIGITAL_SIGNATURE", "certificate.created_at": "there",
			"certificate_status.status": "STATUS_GOOD", "certificate_status.check_method": "CHECK_METHOD_OCSP",
			"certificate_status.check_purpose": "CHECK_PURPOSE_SIGNATURE_VERIFICATION", "certificate_status.source_updated_at": "there",
			"certificate_content.jpki_card_digital_signature_content.common_name":   "霧島　花子",
			"certificate_content.jpki_card_digital_signature_content.gender":        "2",
			"certificate_content.jpki_card_digital_signature_content.date_of_birth": "319800217",
			"certificate_content.jpki_card_digital_signature_content.address":       hanako.Items.Address,
			"certificate_content.validity.not_after":                                "there", "is_new_user": "true"})
		id, user, certificate := get(first, "verification.id"), get(first, "user.id"), get(first, "certificate.id")
		unnamed, err := c.call(verify, strings.Replace(verifyRequest(t, hanako.Sign, "誰かを問わない書面"), `"identifyUser":true`, `"identifyUser":false`, 1))
		c.wants(unnamed, err, map[string]string{"verification.result": "RESULT_OK", "user": "", "certificate.id": certificate})
		again, err := c.call(verify, verifyRequest(t, hanako.Sign, "もう一つの書面"))
		c.wants(again, err, map[string]string{"verification.result": "RESULT_OK", "is_new_user": "false", "user.id": user, "certificate.id": certificate})
		later, err := c.call(getVerification, `{"verificationId":"`+id+`"}`)
		c.wants(later, err, map[string]string{"verification.result": "RESULT_OK", "user.id": user, "certificate.id": certificate, "certificate_content": "",
			"verification.signature": get(first, "verification.signature"), "verification.digest": get(first, "verification.digest")})
		stands, err := c.call(userStatus, `{"userId":"`+user+`","checkMethod":"CHECK_METHOD_CRL"}`)
		c.wants(stands, err, map[string]string{"certificate_state": "STATE_GOOD", "certificate_status.check_purpose": "CHECK_PURPOSE_LIVENESS_CHECK", "user.id": user})

		named, err := c.call("UserService/GetUser", `{"userId":"`+user+`"}`)
		c.wants(named, err, map[string]string{"user.id": user, "user.created_at": "there", "certificate.id": certificate})
		if n := b.count(`SELECT COUNT(*) FROM status_checks WHERE tenant = $1 AND check_purpose = 'liveness_check'`, b.tenant.ID); n != 1 {
			t.Errorf("%d looks at a status are recorded, want the one", n)
		}
		_, err = theirs.call(getVerification, `{"verificationId":"`+id+`"}`)
		theirs.refused("another tenant's verification", err, connect.CodeNotFound, "")
		_, err = theirs.call(userStatus, `{"userId":"`+user+`"}`)
		theirs.refused("another tenant's user", err, connect.CodeNotFound, "")
		_, err = theirs.call("UserService/GetUser", `{"userId":"`+user+`"}`)
		theirs.refused("another tenant's user", err, connect.CodeNotFound, "")
		_, err = theirs.call("CertificateService/CheckCertificateStatus", `{"certificateId":"`+certificate+`"}`)
		theirs.refused("another tenant's certificate", err, connect.CodeNotFound, "")
		seen, err := theirs.call(verify, ask)
		theirs.wants(seen, err, map[string]string{"verification.result": "RESULT_OK", "is_new_user": "true"})
		if get(seen, "user.id") == user || get(seen, "certificate.id") == certificate {
			t.Error("two tenants know a person or a certificate by one id")
		}

		b.Agency.Revoke(jitsuin.SignCert, hanako.Sign.Cert)
		gone, err := c.call(verify, ask)
		c.wants(gone, err, map[string]string{"verification.result": "RESULT_CERTIFICATE_REVOKED", "certificate_status.status": "STATUS_REVOKED",
			"certificate_status.revoked_at": "there", "certificate_status.revocation_reason": "CRL_REASON_AFFILIATION_CHANGED", "certificate_content": "", "user": ""})
		stands, err = c.call(userStatus, `{"userId":"`+user+`"}`)
		c.wants(stands, err, map[string]string{"certificate_state": "STATE_REVOKED", "certificate_status.revocation_reason": "CRL_REASON_AFFILIATION_CHANGED"})
		stands, err = c.call("CertificateService/CheckCertificateStatus", `{"certificateId":"`+certificate+`"}`)
		c.wants(stands, err, map[string]string{"certificate_status.status": "STATUS_REVOKED"})
	})
}

func TestVerifyV2Refusals(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	hanako := b.Agency.Resident("霧島　花子")
	c := b.verifyClient(b.token(b.tenant, api.ScopeVerify), connect.WithProtoJSON())
	const verify = "VerificationService/Verify"
	ask := verifyRequest(t, hanako.Sign, "書面")
	_, otherValue := rawSign(t, hanako.Sign, "別の書面")
	_, value := rawSign(t, hanako.Sign, "書面")
	b64 := base64.StdEncoding.EncodeToString
	m, err := c.call(verify, strings.Replace(ask, b64(value), b64(otherValue), 1))
	c.wants(m, err, map[string]string{"verification.result": "RESULT_SIGNATURE_MISMATCH", "certificate_content": "", "user": ""})
	for what, r := range map[string]struct {
		request, reason string
		code            connect.Code
	}{
		"no certificate":                      {strings.Replace(ask, b64(hanako.Sign.Cert.Raw), b64([]byte("x")), 1), "ERROR_REASON_INVALID_CERTIFICATE", connect.CodeInvalidArgument},
		"an authority's":                      {strings.Replace(ask, b64(hanako.Sign.Cert.Raw), b64(b.Agency.Authorities[jitsuin.SignCert].Cert.Raw), 1), "ERROR_REASON_UNSUPPORTED_CERTIFICATE", connect.CodeInvalidArgument},
		"no hash":                             {strings.Replace(ask, "HASH_ALGORITHM_SHA256", "HASH_ALGORITHM_UNSPECIFIED", 1), "", connect.CodeInvalidArgument},
		"half a digest":                       {strings.Replace(ask, `"digest":"`, `"digest":"AAAA`, 1), "", connect.CodeInvalidArgument},
		"nothing":                             {`{}`, "", connect.CodeInvalidArgument},
		"a login, which the token is not for": {verifyRequest(t, hanako.Auth, "nonce"), "", connect.CodePermissionDenied},
	} {
		_, err := c.call(verify, r.request)
		c.refused(what, err, r.code, r.reason)
	}
	b.Status.Down.Store(true)
	_, err = c.call(verify, ask)
	c.refused("no status", err, connect.CodeUnavailable, "ERROR_REASON_OCSP_REQUEST_FAILED")
	b.Status.Down.Store(false)
	_, err = c.call("VerificationService/DeleteVerification", `{"verificationId":"x"}`)
	c.refused("a method that is not here", err, connect.CodeUnimplemented, "")
	c.token += "x"
	_, err = c.call(verify, ask)
	c.refused("a wrong token", err, connect.CodeUnauthenticated, "")
	binary := b.verifyClient(b.token(b.tenant, api.ScopeVerify))
	if _, err := binary.call(verify, ask); err == nil || !strings.Contains(err.Error(), "415") {
		t.Errorf("binary protobuf: %v", err)
	}
	b.Accredit("suspended")
	c = b.verifyClient(b.token(b.tenant, api.ScopeVerify), connect.WithProtoJSON())
	_, err = c.call(verify, ask)
	c.refused("a platform whose accreditation is suspended", err, connect.CodeUnavailable, "")
}

// The legacy exception: a login by a nonce of the tenant's own.
func TestVerifyV2TakesANonceOnce(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	hanako := b.Agency.Resident("霧島　花子")
	c := b.verifyClient(b.token(b.tenant, api.ScopeLegacyNonce), connect.WithProtoJSON())
	const verify = "VerificationService/Verify"
	ask := verifyRequest(t, hanako.Auth, "c7fdd0dc199fd75a")
	m, err := c.call(verify, ask)
	c.wants(m, err, map[string]string{"verification.result": "RESULT_OK", "certificate.type": "TYPE_JPKI_CARD_USER_AUTHENTICATION",
		"certificate_content.jpki_card_user_authentication_content": "there", "is_new_user": "true"})
	_, err = c.call(verify, ask)
	c.refused("the same answer again", err, connect.CodeUnauthenticated, "")
	_, err = c.call(verify, verifyRequest(t, hanako.Sign, "書面"))
	c.refused("a document, which the token is not for", err, connect.CodePermissionDenied, "")
	l, err := b.login(b.tenant, hanako.Auth)
	if err != nil || l.User == nil || l.User.ID != get(m, "user.id") {
		t.Errorf("the platform's own login knows %+v, %v", l.User, err)
	}
	b.Agency.Revoke(jitsuin.AuthCert, hanako.Auth.Cert)
	m, err = c.call(verify, verifyRequest(t, hanako.Auth, "another nonce"))
	c.wants(m, err, map[string]string{"verification.result": "RESULT_CERTIFICATE_REVOKED", "user": ""})
}
