/**
 * What travels between Daypass and its clients. Made from docs/reference/openapi.json by `cargo xtask gen http`: a name
 * that the server does not know any more fails the check of types.
 */

/** An agent or a service acts for a person, without a session. */
export interface ActorTokenGrant {
  grant_type: "urn:ietf:params:oauth:grant-type:token-exchange";
  /** The `id` of the `[[app]]`. */
  client_id: string;
  /** Who the person is: the ID token that the app was given here, or a token of their provider. */
  subject_token: string;
  /** What it is. */
  subject_token_type: "urn:ietf:params:oauth:token-type:access_token" | "urn:ietf:params:oauth:token-type:id_token" | "urn:ietf:params:oauth:token-type:jwt";
  /** The `id` of the `[[provider]]` that gave it. It may be left out where `iss` of an ID token tells. */
  subject_issuer?: string;
  /** That of the ID token, if it has one. */
  nonce?: string;
  /** Who acts: an ID token of an `[[actor]]`. */
  actor_token: string;
  /** What it is. */
  actor_token_type: "urn:ietf:params:oauth:token-type:id_token" | "urn:ietf:params:oauth:token-type:jwt";
  /** `true`: temporary AWS credentials come along. */
  credentials?: "true" | "false";
}

/** A code of the hosted login, within 60 seconds. */
export interface AuthorizationCodeGrant {
  grant_type: "authorization_code";
  /** The `id` of the `[[app]]`. */
  client_id: string;
  /** What came back. */
  code: string;
  /** Where it came back to, letter by letter. */
  redirect_uri: string;
  /** The verifier of the challenge: 43 to 128 characters of `A-Z a-z 0-9 - . _ ~`. */
  code_verifier: string;
  /** `true`: temporary AWS credentials come along. */
  credentials?: "true" | "false";
  /** What the person calls the device: 100 characters, on one line. */
  device?: string;
  /** A guest who is to become the login's identity, unless it has one. */
  identity_id?: string;
}

/** The metadata of an authorization server (RFC 8414 section 2). */
export interface AuthorizationServer {
  /** The `public_url`. It is `iss` of tokens and of answers to logins. */
  issuer: string;
  /** Where a browser goes to sign in. */
  authorization_endpoint: string;
  /** Where a grant becomes a token. */
  token_endpoint: string;
  /** Where a session ends. */
  revocation_endpoint: string;
  /** Where a device without a browser begins, if an app has such devices. */
  device_authorization_endpoint?: string;
  /** How a code comes back: in the address, or as a message from a popup. */
  response_modes_supported: Array<string>;
  /** The grants of the token endpoint. */
  grant_types_supported: Array<string>;
  /** The scopes that mean something. */
  scopes_supported: Array<string>;
  /** How a code is bound to a verifier. */
  code_challenge_methods_supported: Array<string>;
  /** None: apps are public clients. */
  token_endpoint_auth_methods_supported: Array<string>;
  /** Likewise. */
  revocation_endpoint_auth_methods_supported: Array<string>;
  /** What a proof of possession is signed with (RFC 9449). */
  dpop_signing_alg_values_supported: Array<string>;
  /** Every answer to a login names its issuer (RFC 9207). */
  authorization_response_iss_parameter_supported: boolean;
  /** Always `code`. */
  response_types_supported: Array<string>;
  /** Who finds us here may ask for an ID token, too, and believe RS256 alone unless told otherwise. */
  id_token_signing_alg_values_supported?: Array<string>;
  /** Where the keys of tokens are. */
  jwks_uri?: string;
}

/** What AWS clients sign with. */
export interface Credentials {
  /** The access key's ID. */
  access_key_id: string;
  /** Its secret. */
  secret_access_key: string;
  /** What goes along with every request that is signed with it. */
  session_token: string;
  /** When they end. */
  expiration: string;
}

/** What AWS clients sign with, and for how long. */
export interface CredentialsWithLife {
  /** The access key's ID. */
  access_key_id: string;
  /** Its secret. */
  secret_access_key: string;
  /** What goes along with every request that is signed with it. */
  session_token: string;
  /** When they end. */
  expiration: string;
  /** Seconds until they end: the same as `expiration`, for clocks that differ from ours. */
  expires_in: number;
}

/** What a device shows, and what it asks with. */
export interface DeviceAuthorization {
  /** What the device asks with at `/oauth2/token`. */
  device_code: string;
  /** What the person types. */
  user_code: string;
  /** Where they type it. */
  verification_uri: string;
  /** The same with the code in the field, for a QR code. */
  verification_uri_complete: string;
  /** Seconds until both codes end. */
  expires_in: number;
  /** Seconds to wait between two questions. */
  interval: number;
}

/** A device. */
export interface DeviceAuthorizationRequest {
  /** The `id` of the `[[app]]`. */
  client_id: string;
  /** As at `/oauth2/authorize`. */
  scope?: string;
  /** What the person calls the device: 100 characters, on one line. */
  device?: string;
}

/** A device without a browser asks whether somebody has let it (RFC 8628). */
export interface DeviceCodeGrant {
  grant_type: "urn:ietf:params:oauth:grant-type:device_code";
  /** The `id` of the `[[app]]`. */
  client_id: string;
  /** What the device was given. */
  device_code: string;
  /** `true`: temporary AWS credentials come along. */
  credentials?: "true" | "false";
  /** A guest who is to become the login's identity, unless it has one. */
  identity_id?: string;
}

/** The decision. */
export interface DeviceDecision {
  verdict: "allow" | "deny";
  /** What the page asked. */
  question: string;
}

/** One proof, and what is wanted besides. */
export interface Exchange {
  /** The `id` of the `[[provider]]` that gave the proof. A `login_code` has none. */
  provider?: string;
  /** Proof: a one-time code of the hosted login, with `app`, `redirect_uri` and `code_verifier`. */
  login_code?: string;
  /** The `id` of the `[[app]]`: with `login_code`, whose it is; with `scope`, for which the ID token is. */
  app?: string;
  /** Proof: an access token of the provider's, where it is bound to our client. */
  access_token?: string;
  /** Proof: an ID token of the provider's, with `nonce` if it has one. */
  id_token?: string;
  /** Proof: an authorization code of the provider's, with `redirect_uri`, and with `code_verifier` and `nonce` where the login has them. */
  code?: string;
  /** The verifier of the login's PKCE challenge: 43 to 128 characters of `A-Z a-z 0-9 - . _ ~`. */
  code_verifier?: string;
  /** Proof: the fields that came back to the page, all of them, with `redirect_uri`. */
  signed_fields?: Record<string, string | number>;
  /** Where the login came back to: one of the `redirect_uris` of an `[[app]]`. */
  redirect_uri?: string;
  /** The nonce that the login was started with. */
  nonce?: string;
  /** The further values of the callback that came with `code`, where a provider asks for them. */
  callback?: Record<string, string>;
  /** A guest who is to become the login's identity. */
  identity_id?: string;
  /** Seconds that the token is to live, 900 if absent. */
  token_duration?: number;
  /** Which Region's pool is to answer, if there are several. */
  region?: string;
  /** Whether temporary credentials are to come along. */
  credentials?: boolean;
  /** `openid` or `openid profile`: an ID token for `app` is to come along. Not with `login_code`. */
  scope?: string;
}

/** The login whose identity stays: a proof with its members; or `refresh_token` alone, of a session, which is not spent by it; or nothing at all, where the session is in a cookie. */
export interface FirstLogin {
  /** Alone in the place of a proof: the session of whoever links another login to theirs. It is not spent. */
  refresh_token?: string;
  /** The `id` of the `[[provider]]` that gave the proof. A `login_code` has none. */
  provider?: string;
  /** Proof: a one-time code of the hosted login, with `app`, `redirect_uri` and `code_verifier`. */
  login_code?: string;
  /** The `id` of the `[[app]]`: with `login_code`, whose it is; with `scope`, for which the ID token is. */
  app?: string;
  /** Proof: an access token of the provider's, where it is bound to our client. */
  access_token?: string;
  /** Proof: an ID token of the provider's, with `nonce` if it has one. */
  id_token?: string;
  /** Proof: an authorization code of the provider's, with `redirect_uri`, and with `code_verifier` and `nonce` where the login has them. */
  code?: string;
  /** The verifier of the login's PKCE challenge: 43 to 128 characters of `A-Z a-z 0-9 - . _ ~`. */
  code_verifier?: string;
  /** Proof: the fields that came back to the page, all of them, with `redirect_uri`. */
  signed_fields?: Record<string, string | number>;
  /** Where the login came back to: one of the `redirect_uris` of an `[[app]]`. */
  redirect_uri?: string;
  /** The nonce that the login was started with. */
  nonce?: string;
  /** The further values of the callback that came with `code`, where a provider asks for them. */
  callback?: Record<string, string>;
}

/** An identity and its token. */
export interface Identity {
  /** Who it is: what the app keys its data by. */
  identity_id: string;
  /** The OpenID token, for GetCredentialsForIdentity and AssumeRoleWithWebIdentity. */
  token: string;
  /** When the token ends. */
  expires_at: string;
  /** The pool that the identity is in. */
  identity_pool_id: string;
  /** The pool's Region. */
  region: string;
  /** The `id` of the `[[provider]]` that the person signed in at. */
  provider: string;
  /** What the provider tells for screens. Nothing of it says who somebody is. */
  user: User;
  /** Temporary credentials, if they were asked for. */
  credentials?: Credentials;
  /** An ID token for the app, if it was asked for. */
  id_token?: string;
}

/** A JWK set (RFC 7517 section 5). */
export interface JwkSet {
  /** Those whose tokens count, or soon will. */
  keys: Array<{ kty: string; alg: string; use: string; kid: string; n?: string; e?: string; crv?: string; x?: string; y?: string }>;
}

/** The proof of the second login, and what is wanted besides. */
export interface Link {
  first: FirstLogin;
  /** The `id` of the `[[provider]]` that gave the proof. A `login_code` has none. */
  provider?: string;
  /** Proof: a one-time code of the hosted login, with `app`, `redirect_uri` and `code_verifier`. */
  login_code?: string;
  /** The `id` of the `[[app]]`: with `login_code`, whose it is; with `scope`, for which the ID token is. */
  app?: string;
  /** Proof: an access token of the provider's, where it is bound to our client. */
  access_token?: string;
  /** Proof: an ID token of the provider's, with `nonce` if it has one. */
  id_token?: string;
  /** Proof: an authorization code of the provider's, with `redirect_uri`, and with `code_verifier` and `nonce` where the login has them. */
  code?: string;
  /** The verifier of the login's PKCE challenge: 43 to 128 characters of `A-Z a-z 0-9 - . _ ~`. */
  code_verifier?: string;
  /** Proof: the fields that came back to the page, all of them, with `redirect_uri`. */
  signed_fields?: Record<string, string | number>;
  /** Where the login came back to: one of the `redirect_uris` of an `[[app]]`. */
  redirect_uri?: string;
  /** The nonce that the login was started with. */
  nonce?: string;
  /** The further values of the callback that came with `code`, where a provider asks for them. */
  callback?: Record<string, string>;
  /** Seconds that the token is to live, 900 if absent. */
  token_duration?: number;
  /** Which Region's pool is to answer, if there are several. */
  region?: string;
  /** Whether temporary credentials are to come along. */
  credentials?: boolean;
}

/** An error (RFC 6749 section 5.2), with more of it besides. */
export interface OAuthError {
  /** The standard's name of it. */
  error: string;
  /** What is wrong, for people. It may be reworded. */
  error_description: string;
  /** What is wrong, for programs, and more exactly than the standard has names for. It is stable. */
  code: string;
  /** Why a session does not go on. */
  reason?: "malformed" | "replaced" | "no_cookie" | "expired" | "signed_out" | "reused" | "revoked" | "login_unlinked" | "identity_gone" | "upstream";
}

/** The metadata of an OpenID provider. */
export interface OpenIdProvider {
  /** The `public_url`, which is `iss` of the tokens. */
  issuer: string;
  /** Where a browser goes to sign in. */
  authorization_endpoint?: string;
  /** Where a grant becomes a token. */
  token_endpoint?: string;
  /** Where a session ends. */
  revocation_endpoint?: string;
  /** Where a device without a browser begins, if an app has such devices. */
  device_authorization_endpoint?: string;
  /** How a code comes back: in the address, or as a message from a popup. */
  response_modes_supported?: Array<string>;
  /** The grants of the token endpoint. */
  grant_types_supported?: Array<string>;
  /** The scopes that mean something. */
  scopes_supported?: Array<string>;
  /** How a code is bound to a verifier. */
  code_challenge_methods_supported?: Array<string>;
  /** None: apps are public clients. */
  token_endpoint_auth_methods_supported?: Array<string>;
  /** Likewise. */
  revocation_endpoint_auth_methods_supported?: Array<string>;
  /** What a proof of possession is signed with (RFC 9449). */
  dpop_signing_alg_values_supported?: Array<string>;
  /** Every answer to a login names its issuer (RFC 9207). */
  authorization_response_iss_parameter_supported?: boolean;
  /** `code`, or `id_token` where nobody can sign in. */
  response_types_supported: Array<string>;
  /** What tokens are signed with. */
  id_token_signing_alg_values_supported: Array<string>;
  /** Where the keys of tokens are. */
  jwks_uri: string;
  /** `sub` is the same for every app. */
  subject_types_supported: Array<string>;
  /** What a token may say. */
  claims_supported: Array<string>;
}

/** Problem details (RFC 9457 section 3), with a code and the request's ID besides. */
export interface Problem {
  /** Always `about:blank`: the code says what it is. */
  type: string;
  /** What the status is called. */
  title: string;
  /** The status of the answer. */
  status: number;
  /** What is wrong, for people, with the cure where there is one. It may be reworded. */
  detail: string;
  /** What is wrong, for programs. It is stable. */
  code: string;
  /** Why a session does not go on. */
  reason?: "malformed" | "replaced" | "no_cookie" | "expired" | "signed_out" | "reused" | "revoked" | "login_unlinked" | "identity_gone" | "upstream";
  /** What the operator finds the request by in the log. It is the header `x-amzn-requestid`, too. */
  request_id: string;
}

/** A provider, and what starts a login there. */
export interface Provider {
  /** The `id` of its `[[provider]]`. */
  id: string;
  /** What people call it. */
  name: string;
  /** Where an app that speaks to the provider itself sends people. */
  authorization_endpoint?: string;
  /** Our client there. */
  client_id: string;
  /** What to ask for there. */
  scope: string;
  /** Whether its codes come with a `code_verifier`. */
  pkce: "required" | "never";
  /** Where the browser goes to sign in there by the hosted login. */
  login_url?: string;
  /** How a proof shows that it was issued to our client, in a letter from `A` to `D`, or `N`: not at all. */
  grade: string;
  /** The proofs that are taken. */
  accepts: Array<"code" | "access_token" | "id_token" | "signed_fields">;
  /** `true`: people are not to be offered it. */
  hidden?: boolean;
}

/** What a login page may offer, and the pool that logins lead to. */
export interface Providers {
  /** The pool that logins lead to. */
  identity_pool_id: string;
  /** Its Region. */
  region: string;
  /** Where the API of the pool answers: this server, or Amazon's. */
  identity_pool_endpoint: string;
  /** Whether the pool gives anything without a login. Amazon's does not say. */
  guests?: boolean;
  /** Those that take any proof. */
  providers: Array<Provider>;
}

/** A session goes on. */
export interface RefreshTokenGrant {
  grant_type: "refresh_token";
  /** The `id` of the `[[app]]`. */
  client_id: string;
  /** The newest one. Without it, it is in the cookie. */
  refresh_token?: string;
  /** Less than was granted; more is refused. */
  scope?: string;
  /** `true`: temporary AWS credentials come along. */
  credentials?: "true" | "false";
}

/** A refresh token. */
export interface Revocation {
  /** The `id` of the `[[app]]`. */
  client_id: string;
  /** The session's refresh token. Without it, it is in the cookie. */
  token?: string;
}

/** One device on which the person is signed in, at one app. */
export interface Session {
  /** Its name, which opens nothing. */
  id: string;
  /** Whether it is the one that asks. */
  current: boolean;
  /** The `id` of the `[[app]]`. */
  app: string;
  /** The `id` of the `[[provider]]` of its login. */
  provider: string;
  /** What the person, or the app for them, called the device. */
  device?: string;
  /** When the person signed in. */
  created_at: string;
  /** When it was refreshed last. */
  last_used_at: string;
  /** When it ends if it is not refreshed. */
  expires_at: string;
}

/** The person's devices. */
export interface Sessions {
  /** The newest 100. */
  sessions: Array<Session>;
}

/** What a provider's own SDK gave to the app (RFC 8693). */
export interface TokenExchangeGrant {
  grant_type: "urn:ietf:params:oauth:grant-type:token-exchange";
  /** The `id` of the `[[app]]`. */
  client_id: string;
  /** What the provider gave. */
  subject_token: string;
  /** What it is. */
  subject_token_type: "urn:ietf:params:oauth:token-type:access_token" | "urn:ietf:params:oauth:token-type:id_token" | "urn:ietf:params:oauth:token-type:jwt";
  /** The `id` of the `[[provider]]` that gave it. It may be left out where `iss` of an ID token tells. */
  subject_issuer?: string;
  /** That of the ID token, if it has one. */
  nonce?: string;
  /** What to call the token that comes; an access token if absent. */
  requested_token_type?: "urn:ietf:params:oauth:token-type:access_token" | "urn:ietf:params:oauth:token-type:id_token";
  /** With `openid`, an ID token comes along; with `profile`, it has a name and a picture. */
  scope?: string;
  /** `true`: temporary AWS credentials come along. */
  credentials?: "true" | "false";
  /** What the person calls the device: 100 characters, on one line. */
  device?: string;
  /** A guest who is to become the login's identity, unless it has one. */
  identity_id?: string;
}

/** A token, and what its session goes on with. */
export interface Tokens {
  /** The OpenID token, for GetCredentialsForIdentity and AssumeRoleWithWebIdentity. */
  access_token: string;
  /** `Bearer`; `N_A` if an ID token was requested. */
  token_type: string;
  /** Seconds until the token ends. */
  expires_in: number;
  /** Of a token exchange only (RFC 8693 section 2.2.1). */
  issued_token_type?: string;
  /** What was granted. */
  scope?: string;
  /** An ID token for the app, with the scope `openid`. */
  id_token?: string;
  /** What the session goes on with, unless it is in a cookie. */
  refresh_token?: string;
  /** Seconds until the session ends if it is not used. */
  refresh_expires_in?: number;
  /** The session's name in `/v1/sessions`, and `sid` in the tokens. */
  session_id?: string;
  /** Who it is: what the app keys its data by. */
  identity_id: string;
  /** The pool that the identity is in. */
  identity_pool_id: string;
  /** The pool's Region. */
  region: string;
  /** The `id` of the `[[provider]]` that the person signed in at. */
  provider: string;
  /** What the provider tells for screens. Nothing of it says who somebody is. */
  user: User;
  /** Temporary credentials, if they were asked for. */
  credentials?: CredentialsWithLife;
}

/** How somebody wants to be seen. */
export interface User {
  /** A name. */
  name?: string;
  /** The address of a picture. */
  avatar?: string;
}

/** The code. */
export interface UserCode {
  /** As the device shows it. */
  user_code: string;
}
