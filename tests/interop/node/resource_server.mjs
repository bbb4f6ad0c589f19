// A resource server written with oauth4webapi (https://github.com/panva/oauth4webapi).

import * as oauth from "oauth4webapi";
import { serve } from "./calls.mjs";

let issuer; // the metadata of the authorization server

await serve({
  async discover({ url, algorithm }) {
    const expected = new URL(url);
    const answer = await oauth.discoveryRequest(expected, { algorithm, [oauth.allowInsecureRequests]: true });
    issuer = await oauth.processDiscoveryResponse(expected, answer);
    return issuer;
  },

  // `clock` is how many seconds the clock of this server is ahead.
  validate({ token, audience, clock = 0 }) {
    const request = new Request(audience, { headers: { authorization: `Bearer ${token}` } });
    return oauth.validateJwtAccessToken(issuer, request, audience, {
      [oauth.allowInsecureRequests]: true,
      [oauth.clockSkew]: clock,
    });
  },
});
