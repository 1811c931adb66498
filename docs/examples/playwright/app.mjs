// The application under test: a page with a link to log in, by openid-client. Yours stands in its place.
import { createServer } from "node:http";
import * as client from "openid-client";

const port = Number(process.env.PORT ?? 3010);
const home = `http://localhost:${port}`;
const config = await client.dynamicClientRegistration(
  new URL(process.env.ISSUER ?? "http://127.0.84.40:8400/openid"), // as jitsuin up has it on Linux
  { client_name: "My shop", redirect_uris: [home + "/callback"], token_endpoint_auth_method: "client_secret_basic" },
  client.ClientSecretBasic(),
  { execute: [client.allowInsecureRequests] }, // the sandbox is http on this machine; leave it out elsewhere
);

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", home);
  const page = (status, body) =>
    response.writeHead(status, { "content-type": "text/html; charset=utf-8" }).end(`<!doctype html><html lang="en"><title>My shop</title>${body}</html>\n`);
  try {
    if (url.pathname === "/login") {
      const [state, verifier] = [client.randomState(), client.randomPKCECodeVerifier()];
      const to = client.buildAuthorizationUrl(config, {
        redirect_uri: home + "/callback", scope: "openid", state,
        code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
      });
      response.setHeader("set-cookie", `begun=${state}.${verifier}; Path=/; HttpOnly; SameSite=Lax`);
      response.writeHead(303, { location: to.href }).end();
    } else if (url.pathname === "/callback") {
      const begun = (request.headers.cookie ?? "").split("; ").find((c) => c.startsWith("begun="))?.slice(6) ?? "";
      const [expectedState = "", pkceCodeVerifier = ""] = begun.split(".");
      const tokens = await client.authorizationCodeGrant(config, url, { expectedState, pkceCodeVerifier, idTokenExpected: true });
      page(200, `<h1>Welcome</h1><p>You are <code>${tokens.claims().sub}</code>.</p>`);
    } else {
      page(200, `<h1>My shop</h1><a href="/login">Log in</a>`);
    }
  } catch (e) {
    const why = e instanceof client.AuthorizationResponseError ? e.error : "something went wrong";
    page(403, `<h1>Not logged in</h1><p>${why.replaceAll("<", "&lt;")}</p><a href="/login">Begin anew</a>`);
  }
});
server.listen(port, "localhost", () => console.log("listening on", home));
