// A relying party by the library oauth4webapi, unmodified: a public client with PKCE, as one in a browser is.
import http from 'node:http'
import { pathToFileURL } from 'node:url'

const [modules, issuer, port, id] = process.argv.slice(2)
const oauth = await import(pathToFileURL(modules + '/node_modules/oauth4webapi/build/index.js'))
const own = `http://127.0.0.1:${port}`, http_ = { [oauth.allowInsecureRequests]: true }
const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), http_))
const client = { client_id: id }, auth = oauth.None(), begun = new Map()

http.createServer(async (req, res) => {
  try {
    const url = new URL(req.url, own)
    if (url.pathname === '/login') {
      const verifier = oauth.generateRandomCodeVerifier(), state = oauth.generateRandomState(), nonce = oauth.generateRandomNonce()
      begun.set(state, { verifier, nonce })
      const to = new URL(as.authorization_endpoint)
      for (const [k, v] of Object.entries({ client_id: id, redirect_uri: own + '/callback', response_type: 'code', scope: 'openid', state, nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' })) to.searchParams.set(k, v)
      res.writeHead(302, { location: to.href }).end()
    } else if (url.pathname === '/callback') {
      const state = url.searchParams.get('state'), { verifier, nonce } = begun.get(state)
      const params = oauth.validateAuthResponse(as, client, url, state)
      const answer = await oauth.authorizationCodeGrantRequest(as, client, auth, params, own + '/callback', verifier, http_)
      const result = await oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: nonce, requireIdToken: true })
      await oauth.validateApplicationLevelSignature(as, answer, http_)
      const claims = oauth.getValidatedIdTokenClaims(result)
      const info = await oauth.processUserInfoResponse(as, client, claims.sub, await oauth.userInfoRequest(as, client, result.access_token, http_))
      res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html><title>rp</title><h1>Hello ${info.sub}</h1><p>${claims.acr} ${result.token_type}</p>`)
    } else {
      res.writeHead(404).end()
    }
  } catch (e) {
    console.error(e)
    res.writeHead(500, { 'content-type': 'text/plain' }).end(String(e) + ' ' + JSON.stringify(e.cause ?? {}))
  }
}).listen(Number(port), '127.0.0.1', () => console.log('listening'))
