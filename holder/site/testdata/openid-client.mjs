// A relying party by the library openid-client, unmodified: it registers itself (RFC 7591), proves itself with private_key_jwt,
// pushes its requests (RFC 9126) and binds its tokens to a key (RFC 9449).
import http from 'node:http'
import { pathToFileURL } from 'node:url'

const [modules, issuer, port] = process.argv.slice(2)
const client = await import(pathToFileURL(modules + '/node_modules/openid-client/build/index.js'))
const own = `http://127.0.0.1:${port}`
const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const jwk = { ...(await crypto.subtle.exportKey('jwk', keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
delete jwk.key_ops
delete jwk.ext

const config = await client.dynamicClientRegistration(new URL(issuer),
  { client_name: 'openid-client', redirect_uris: [own + '/callback'], jwks: { keys: [jwk] }, token_endpoint_auth_method: 'private_key_jwt', dpop_bound_access_tokens: true },
  client.PrivateKeyJwt({ key: keys.privateKey, kid: 'k1' }), { execute: [client.allowInsecureRequests] })
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
const begun = new Map()

http.createServer(async (req, res) => {
  try {
    const url = new URL(req.url, own)
    if (url.pathname === '/login') {
      const verifier = client.randomPKCECodeVerifier(), state = client.randomState(), nonce = client.randomNonce()
      begun.set(state, { verifier, nonce })
      const to = await client.buildAuthorizationUrlWithPAR(config, { redirect_uri: own + '/callback', scope: 'openid', state, nonce, acr_values: 'aal3', max_age: '300',
        code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' }, { DPoP })
      res.writeHead(302, { location: to.href }).end()
    } else if (url.pathname === '/callback') {
      const { verifier, nonce } = begun.get(url.searchParams.get('state'))
      const tokens = await client.authorizationCodeGrant(config, url, { pkceCodeVerifier: verifier, expectedState: url.searchParams.get('state'), expectedNonce: nonce, maxAge: 300, idTokenExpected: true }, undefined, { DPoP })
      const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP })
      res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html><title>rp</title><h1>Hello ${info.sub}</h1><p>${tokens.claims().acr} ${tokens.token_type}</p>`)
    } else {
      res.writeHead(404).end()
    }
  } catch (e) {
    console.error(e)
    res.writeHead(500, { 'content-type': 'text/plain' }).end(String(e) + ' ' + JSON.stringify(e.cause ?? {}))
  }
}).listen(Number(port), '127.0.0.1', () => console.log('listening'))
