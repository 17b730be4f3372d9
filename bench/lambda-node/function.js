// A login by code at one provider, exchanged for a token of an Amazon Cognito identity pool: what the AWS documentation
// calls developer authenticated identities, with the official SDK and no more than it takes.

import { CognitoIdentityClient, GetOpenIdTokenForDeveloperIdentityCommand } from "@aws-sdk/client-cognito-identity";

const { PROVIDER, CLIENT_SECRET, POOL_ID } = process.env;
const cognito = new CognitoIdentityClient({});
const basic = `Basic ${Buffer.from(`the-client:${CLIENT_SECRET}`).toString("base64")}`;

async function post(path, headers, body) {
  const response = await fetch(PROVIDER + path, { method: "POST", headers, body });
  if (!response.ok) throw new Error(`the provider answered ${response.status}`);
  return response.json();
}

export async function handler(event) {
  const { code, code_verifier, redirect_uri } = JSON.parse(event.body);
  const form = new URLSearchParams({ grant_type: "authorization_code", code, code_verifier, redirect_uri });
  const { access_token } = await post("/token", { authorization: basic }, form);
  const headers = { authorization: `Bearer ${access_token}`, "content-type": "application/json" };
  const query = JSON.stringify({ query: "{me{externalId displayName bitmoji{avatar id}}}" });
  const { externalId, displayName } = (await post("/me", headers, query)).data.me;
  const { IdentityId, Token } = await cognito.send(
    new GetOpenIdTokenForDeveloperIdentityCommand({
      IdentityPoolId: POOL_ID,
      Logins: { "login.example.com": `snapchat:${externalId}` },
    }),
  );
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ identity_id: IdentityId, token: Token, user: { name: displayName } }),
  };
}
