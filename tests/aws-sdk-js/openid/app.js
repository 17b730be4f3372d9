/** What all clients know of their app. The rest they have from the metadata of the server. */
export const APP = 'shop';
/** Nobody is there: a test reads the address. */
export const REDIRECT_URI = 'https://app.example.com/signed-in';
export const SCOPE = 'openid profile offline_access';
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
