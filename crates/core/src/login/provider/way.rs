//! The way to one provider: of everything that is sent on it, whoever sends it sees for whom.

use ::http::{Request, Response};
use async_trait::async_trait;
use bytes::Bytes;

use super::client::Provider;
use crate::ground::outbound::{AskedProvider, ProviderHttp, ProviderHttpError};

pub(super) struct WayTo<'a> {
    pub(super) provider: &'a Provider,
    pub(super) http: &'a dyn ProviderHttp,
}

#[async_trait]
impl ProviderHttp for WayTo<'_> {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        request.extensions_mut().insert(AskedProvider(self.provider.id.as_str().into()));
        self.http.send(request).await
    }
}
