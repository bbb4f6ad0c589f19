// An app written with openid-client (https://github.com/panva/openid-client), every check of it switched on.

import * as client from "openid-client";
import { serve } from "./calls.mjs";

const KEYS = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  PS256: { name: "RSA-PSS", hash: "SHA-256" },
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  EdDSA: { name: "Ed25519" },
};

const METHODS = {
  client_secret_basic: ({ secret }) => client.ClientSecretBasic(secret),
  client_secret_post: ({ secret }) => client.ClientSecretPost(secret),
  client_secret_jwt: ({ secret }) => client.ClientSecretJwt(secret),
  none: () => client.None(),
  async private_key_jwt({ jwk, algorithm }) {
    const key = await crypto.subtle.importKey("jwk", jwk, KEYS[algorithm], false, ["sign"]);
    // Of itself the library calls EdDSA by the name of RFC 9864, Ed25519, which is not among those that discovery names.
    const rename = (header) => void (header.alg = algorithm);
    return client.PrivateKeyJwt({ key, kid: jwk.kid }, { [client.modifyAssertion]: rename });
  },
};

let app; // the Configuration of the app that this program currently is
let begun; // what it keeps in the session of the person's browser

function plain(tokens) {
  return { ...tokens, claims: tokens.claims() ?? null };
}

await serve({
  async connect({ issuer, client_id, method, metadata, ...credential }) {
    const authentication = await METHODS[method](credential);
    app = await client.discovery(new URL(issuer), client_id, metadata, authentication, {
      execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
    });
    return app.serverMetadata();
  },

  async begin({ max_age, ...parameters }) {
    begun = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState(),
      expectedNonce: client.randomNonce(),
      maxAge: max_age,
      idTokenExpected: true,
    };
    const url = client.buildAuthorizationUrl(app, {
      code_challenge: await client.calculatePKCECodeChallenge(begun.pkceCodeVerifier),
      code_challenge_method: "S256",
      state: begun.expectedState,
      nonce: begun.expectedNonce,
      ...(max_age === undefined ? {} : { max_age: String(max_age) }),
      ...parameters,
    });
    return url.href;
  },

  async finish({ url, form, checks = {}, parameters = {} }) {
    const called = form
      ? new Request(url, { method: "POST", body: new URLSearchParams(form) })
      : new URL(url);
    return plain(await client.authorizationCodeGrant(app, called, { ...begun, ...checks }, parameters));
  },

  async refresh({ refresh_token, parameters = {} }) {
    return plain(await client.refreshTokenGrant(app, refresh_token, parameters));
  },

  client_credentials: (parameters) => client.clientCredentialsGrant(app, parameters),
  userinfo: ({ access_token, sub }) => client.fetchUserInfo(app, access_token, sub),
  introspect: ({ token }) => client.tokenIntrospection(app, token),
  revoke: ({ token, ...parameters }) => client.tokenRevocation(app, token, parameters),
  end_session_url: (parameters) => client.buildEndSessionUrl(app, parameters).href,
});
