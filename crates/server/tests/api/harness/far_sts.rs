//! An STS that is not ours: it believes every token, and keeps what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use daypass_core::ground::clock::{Clock, ManualClock, SignedDuration};
use daypass_core::ground::outbound::{ProviderHttp, ProviderHttpError};
use http::{Request, Response};

/// Where it answers.
pub const FAR_STS: &str = "https://sts.example.com";

type Refusal = Option<fn() -> Result<Response<Bytes>, ProviderHttpError>>;

pub struct FarSts {
    clock: Arc<ManualClock>,
    refusal: Mutex<Refusal>,
    asked: Mutex<Vec<BTreeMap<String, String>>>,
    otherwise: Arc<dyn ProviderHttp>,
}

impl FarSts {
    /// Requests to others go to `otherwise`.
    pub fn new(clock: Arc<ManualClock>, otherwise: Arc<dyn ProviderHttp>) -> Self {
        Self { clock, refusal: Mutex::default(), asked: Mutex::default(), otherwise }
    }

    /// Answers so from now on.
    pub fn refuse(&self, refusal: fn() -> Result<Response<Bytes>, ProviderHttpError>) {
        *self.refusal.lock().unwrap() = Some(refusal);
    }

    /// The forms that came, in order.
    pub fn asked(&self) -> Vec<BTreeMap<String, String>> {
        self.asked.lock().unwrap().clone()
    }

    fn answer(&self, form: &BTreeMap<String, String>) -> Response<Bytes> {
        let duration = SignedDuration::from_secs(form["DurationSeconds"].parse().unwrap());
        let body = format!(
            "<?xml version=\"1.0\"?>\n<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
             <AccessKeyId>ASIA066b3ae2c453351b</AccessKeyId><SecretAccessKey>far&amp;secret</SecretAccessKey>\
             <SessionToken>far.session.token</SessionToken><Expiration>{:.0}</Expiration></Credentials>\
             </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
            self.clock.now() + duration
        );
        Response::new(body.into())
    }
}

#[async_trait]
impl ProviderHttp for FarSts {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        if request.uri().host() != Some("sts.example.com") {
            return self.otherwise.send(request).await;
        }
        let form: BTreeMap<_, _> = form_urlencoded::parse(request.body()).into_owned().collect();
        self.asked.lock().unwrap().push(form.clone());
        // It takes a moment, so that others can ask meanwhile.
        tokio::task::yield_now().await;
        let refusal = *self.refusal.lock().unwrap();
        refusal.map_or_else(|| Ok(self.answer(&form)), |refusal| refusal())
    }
}
