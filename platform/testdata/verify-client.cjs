// A client of Verify v2 as services write it in TypeScript: the Connect library's own client and transport as they
// are published, and code as the published generator writes it. The numbers of fields are of this file alone:
// the transport's default is JSON, in which none is written.
// Arguments: the folder with node_modules, base URL, token, and certificate, digest and signature in base64.
const { createRequire } = require("node:module");
const [modules, baseUrl, token, certificate, digest, signature] = process.argv.slice(2);
const need = createRequire(modules + "/any.js");
const { proto3, ScalarType, MethodKind, Timestamp } = need("@bufbuild/protobuf");
const { createPromiseClient, ConnectError } = need("@connectrpc/connect");
const { createConnectTransport } = need("@connectrpc/connect-web");

const scalar = (no, name, T) => ({ no, name, kind: "scalar", T });
const message = (name, fields) => proto3.makeMessageType("pocketsign.verify.v2." + name, fields);
const enumeration = (name, words) => proto3.makeEnum("pocketsign.verify.v2." + name, words.map((w, no) => ({ no, name: w, localName: w })));
const Hash = enumeration("Verification.HashAlgorithm", ["HASH_ALGORITHM_UNSPECIFIED", "HASH_ALGORITHM_SHA256"]);
const Result = enumeration("Verification.Result", ["RESULT_UNSPECIFIED", "RESULT_OK", "RESULT_SIGNATURE_MISMATCH", "RESULT_CERTIFICATE_REVOKED", "RESULT_CERTIFICATE_EXPIRED"]);
const Method = enumeration("CertificateStatus.CheckMethod", ["CHECK_METHOD_UNSPECIFIED", "CHECK_METHOD_CRL", "CHECK_METHOD_OCSP"]);
const VerifyRequest = message("VerifyRequest", [
  scalar(1, "certificate", ScalarType.BYTES), { no: 2, name: "hash_algorithm", kind: "enum", T: proto3.getEnumType(Hash) },
  scalar(3, "digest", ScalarType.BYTES), scalar(4, "signature", ScalarType.BYTES),
  { no: 5, name: "check_method", kind: "enum", T: proto3.getEnumType(Method) }, scalar(6, "identify_user", ScalarType.BOOL)]);
const Verification = message("Verification", [
  scalar(1, "id", ScalarType.STRING), { no: 2, name: "result", kind: "enum", T: proto3.getEnumType(Result) },
  { no: 3, name: "hash_algorithm", kind: "enum", T: proto3.getEnumType(Hash) }, scalar(4, "digest", ScalarType.BYTES),
  scalar(5, "signature", ScalarType.BYTES), { no: 6, name: "created_at", kind: "message", T: Timestamp }]);
const SignContent = message("CertificateContent.JPKICardDigitalSignatureContent", [
  scalar(1, "common_name", ScalarType.STRING), scalar(2, "substitute_character_of_common_name", ScalarType.STRING), scalar(3, "gender", ScalarType.STRING),
  scalar(4, "date_of_birth", ScalarType.STRING), scalar(5, "address", ScalarType.STRING), scalar(6, "substitute_character_of_address", ScalarType.STRING)]);
const Content = message("CertificateContent", [scalar(1, "subject", ScalarType.STRING),
  { no: 4, name: "jpki_card_digital_signature_content", kind: "message", T: SignContent, oneof: "type_specific_content" }]);
const User = message("User", [scalar(1, "id", ScalarType.STRING), { no: 2, name: "created_at", kind: "message", T: Timestamp }]);
const VerifyResponse = message("VerifyResponse", [{ no: 1, name: "verification", kind: "message", T: Verification },
  { no: 4, name: "certificate_content", kind: "message", T: Content }, { no: 5, name: "user", kind: "message", T: User }, scalar(6, "is_new_user", ScalarType.BOOL)]);
const VerificationService = { typeName: "pocketsign.verify.v2.VerificationService",
  methods: { verify: { name: "Verify", I: VerifyRequest, O: VerifyResponse, kind: MethodKind.Unary } } };

async function main() {
  const client = createPromiseClient(VerificationService, createConnectTransport({ baseUrl }));
  const request = { certificate: Buffer.from(certificate, "base64"), digest: Buffer.from(digest, "base64"), signature: Buffer.from(signature, "base64"),
    hashAlgorithm: Hash.HASH_ALGORITHM_SHA256, checkMethod: Method.CHECK_METHOD_CRL, identifyUser: true };
  const result = await client.verify(request, { headers: { Authorization: `Bearer ${token}` } });
  console.log(Result[result.verification.result], result.certificateContent.typeSpecificContent.case, result.certificateContent.typeSpecificContent.value.commonName,
    result.user.id.length, result.isNewUser);
  try {
    await client.verify(request, { headers: { Authorization: "Bearer wrong" } });
  } catch (e) {
    console.log(e instanceof ConnectError, e.code, e.rawMessage.includes("token"));
  }
}

main().catch((e) => { console.error(e); process.exit(1); });
