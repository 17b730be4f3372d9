//! What a request says about its signature, in its `Authorization` header or in its query. Nothing of it is
//! verified here except that it is said once, in one place, and that it covers all that the request means.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use daypass_core::ground::clock::{SignedDuration, Timestamp};
use daypass_core::ground::ids::Region;
use daypass_core::ground::secret::Secret;

use super::error::{SignatureError, incomplete};

const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);
/// Seven days, the longest that a request can be signed ahead.
const MAX_EXPIRES: i64 = 604_800;
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

const DATE: &str = "x-amz-date";
const SECURITY_TOKEN: &str = "x-amz-security-token";
pub(super) const CONTENT_SHA256: &str = "x-amz-content-sha256";

/// Parameters of the query form that the signer writes itself.
pub(super) const WRITTEN_BY_SIGNER: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
];
const TOKEN_PARAMETER: &str = "X-Amz-Security-Token";
const CONTENT_SHA256_PARAMETER: &str = "X-Amz-Content-Sha256";

/// Headers that come to a request on its way, or that signers leave out of the query form. They mean nothing
/// to us.
const MAY_BE_UNSIGNED: [&str; 2] = ["x-amz-cf-id", "x-amz-user-agent"];

/// Whether a query parameter belongs to the signature and not to the request.
#[must_use]
pub fn is_signing_parameter(name: &str) -> bool {
    WRITTEN_BY_SIGNER.contains(&name) || [TOKEN_PARAMETER, CONTENT_SHA256_PARAMETER].contains(&name)
}

/// Where the signature stands, which decides what is signed with it and how long it is good.
pub(super) enum Form {
    Header,
    Query { expires: SignedDuration },
}

/// Who is said to have signed, when, for whom and over which headers.
pub(super) struct Claim {
    pub form: Form,
    pub access_key_id: String,
    pub region: String,
    pub service: String,
    pub signed_at: Timestamp,
    pub signed_headers: Vec<String>,
    pub signature: String,
    pub session_token: Option<Secret>,
    /// The hash that the client says the body has.
    pub content_sha256: Option<String>,
}

impl Claim {
    /// Reads whichever form is there.
    ///
    /// # Errors
    /// [`SignatureError::Missing`] and [`SignatureError::Incomplete`].
    pub fn read(parts: &Parts) -> Result<Self, SignatureError> {
        let parameters = Parameters::read(parts.uri.query().unwrap_or_default())?;
        let claim = match (single_header(&parts.headers, header::AUTHORIZATION.as_str())?, parameters) {
            (None, parameters) if parameters.0.is_empty() => return Err(SignatureError::Missing),
            (Some(text), parameters) if parameters.0.is_empty() => in_header(text, &parts.headers)?,
            (None, parameters) => in_query(parameters, &parts.headers)?,
            (Some(_), _) => {
                return Err(incomplete(
                    "A request is signed in its Authorization header or in its query, not both",
                ));
            }
        };
        check_signed_headers(&parts.headers, &claim.signed_headers)?;
        Ok(claim)
    }

    /// Whether the request was signed for this service in this Region.
    ///
    /// # Errors
    /// [`SignatureError::WrongScope`].
    pub fn check_scope(&self, region: &Region, service: &str) -> Result<(), SignatureError> {
        if self.service != service {
            return Err(SignatureError::WrongScope(format!("correct service: '{service}'")));
        }
        if self.region != region.as_str() {
            return Err(SignatureError::WrongScope(format!("a valid Region: this is {region}")));
        }
        Ok(())
    }

    /// Whether the request is neither too old nor of a time to come.
    ///
    /// # Errors
    /// [`SignatureError::Skewed`].
    pub fn check_time(&self, now: Timestamp) -> Result<(), SignatureError> {
        let age = now.duration_since(self.signed_at);
        let [signed, at] = [self.signed_at, now].map(amz_date);
        if age < -MAX_SKEW {
            let limit = amz_date(now + MAX_SKEW);
            let text =
                format!("Signature not yet current: {signed} is still later than {limit} ({at} + 15 min.)");
            return Err(SignatureError::Skewed(text));
        }
        let text = match self.form {
            Form::Header if age > MAX_SKEW => {
                let limit = amz_date(now - MAX_SKEW);
                format!("Signature expired: {signed} is now earlier than {limit} ({at} - 15 min.)")
            }
            Form::Query { expires } if age > expires => {
                format!("Signature expired: {} is now earlier than {at}", amz_date(self.signed_at + expires))
            }
            Form::Header | Form::Query { .. } => return Ok(()),
        };
        Err(SignatureError::Skewed(text))
    }
}

/// Reads `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, SignedHeaders=…,
/// Signature=…`.
fn in_header(text: &str, headers: &HeaderMap) -> Result<Claim, SignatureError> {
    let (algorithm, fields) = text.split_once(' ').unwrap_or((text, ""));
    check_algorithm(algorithm)?;
    let field = |name: &str| {
        let mut found =
            fields.split(',').filter_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        match (found.next(), found.next()) {
            (Some(value), None) => Ok(value),
            _ => Err(incomplete(format!("Authorization header requires one '{name}' parameter"))),
        }
    };
    let date = single_header(headers, DATE)?.ok_or_else(|| incomplete("the X-Amz-Date header is missing"))?;
    let credential = Credential::read(field("Credential")?, date)?;
    Ok(Claim {
        signed_headers: field("SignedHeaders")?.split(';').map(str::to_owned).collect(),
        signature: field("Signature")?.to_owned(),
        session_token: single_header(headers, SECURITY_TOKEN)?.map(Secret::new),
        content_sha256: single_header(headers, CONTENT_SHA256)?.map(str::to_owned),
        ..credential.claim(Form::Header)
    })
}

/// Reads the parameters of a presigned URL. The token of its session stands there as well: one in the headers
/// would be a second one.
fn in_query(mut parameters: Parameters, headers: &HeaderMap) -> Result<Claim, SignatureError> {
    check_algorithm(&parameters.required("X-Amz-Algorithm")?)?;
    if headers.contains_key(SECURITY_TOKEN) {
        return Err(incomplete("The session token of a presigned URL stands in its query, not in a header"));
    }
    let credential = parameters.required("X-Amz-Credential")?;
    let credential = Credential::read(&credential, &parameters.required("X-Amz-Date")?)?;
    let expires = read_expires(&parameters.required("X-Amz-Expires")?)?;
    let in_header = single_header(headers, CONTENT_SHA256)?.map(str::to_owned);
    Ok(Claim {
        signed_headers: parameters.required("X-Amz-SignedHeaders")?.split(';').map(str::to_owned).collect(),
        signature: parameters.required("X-Amz-Signature")?,
        session_token: parameters.0.remove(TOKEN_PARAMETER).map(Secret::new),
        content_sha256: parameters.0.remove(CONTENT_SHA256_PARAMETER).or(in_header),
        ..credential.claim(Form::Query { expires })
    })
}

/// Seconds, in the one way to write them: the signer writes them anew.
fn read_expires(text: &str) -> Result<SignedDuration, SignatureError> {
    let seconds = text.parse::<i64>().ok().filter(|seconds| seconds.to_string() == text);
    let seconds = seconds.filter(|seconds| (1..=MAX_EXPIRES).contains(seconds)).ok_or_else(|| {
        incomplete(format!("X-Amz-Expires must be a number of seconds from 1 to {MAX_EXPIRES}"))
    })?;
    Ok(SignedDuration::from_secs(seconds))
}

/// The parameters of a query that belong to a signature. Two of one name are two meanings of one request.
struct Parameters(BTreeMap<String, String>);

impl Parameters {
    fn read(query: &str) -> Result<Self, SignatureError> {
        let mut found = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if is_signing_parameter(&name) && found.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(incomplete(format!("'{name}' stands there twice")));
            }
        }
        Ok(Self(found))
    }

    fn required(&mut self, name: &str) -> Result<String, SignatureError> {
        self.0.remove(name).ok_or_else(|| {
            let text = format!(
                "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
            );
            incomplete(text)
        })
    }
}

/// Who signed, and within which scope.
struct Credential<'a> {
    access_key_id: &'a str,
    region: &'a str,
    service: &'a str,
    signed_at: Timestamp,
}

impl<'a> Credential<'a> {
    fn read(text: &'a str, amz_date: &str) -> Result<Self, SignatureError> {
        let [access_key_id, date, region, service, "aws4_request"] = *text.split('/').collect::<Vec<_>>()
        else {
            return Err(incomplete("Credential must be written key/date/region/service/aws4_request"));
        };
        let signed_at = read_date(amz_date)?;
        if !amz_date.starts_with(date) || date.len() != 8 {
            return Err(incomplete("the date in Credential is not that of X-Amz-Date"));
        }
        Ok(Self { access_key_id, region, service, signed_at })
    }

    /// A claim that does not say yet what was signed.
    fn claim(self, form: Form) -> Claim {
        Claim {
            form,
            access_key_id: self.access_key_id.to_owned(),
            region: self.region.to_owned(),
            service: self.service.to_owned(),
            signed_at: self.signed_at,
            signed_headers: Vec::new(),
            signature: String::new(),
            session_token: None,
            content_sha256: None,
        }
    }
}

/// SigV4A (`AWS4-ECDSA-P256-SHA256`) needs what no client of one Region does.
fn check_algorithm(name: &str) -> Result<(), SignatureError> {
    if name == ALGORITHM { Ok(()) } else { Err(incomplete("The only algorithm here is AWS4-HMAC-SHA256")) }
}

/// Every header of AWS's decides what a request means. One that is present and not signed could be anybody's.
fn check_signed_headers(headers: &HeaderMap, signed: &[String]) -> Result<(), SignatureError> {
    let has_to_be =
        |name: &str| name == "host" || (name.starts_with("x-amz-") && !MAY_BE_UNSIGNED.contains(&name));
    let is_signed = |name: &str| signed.iter().any(|signed| signed == name);
    let unsigned = headers.keys().map(HeaderName::as_str).filter(|name| has_to_be(name) && !is_signed(name));
    let unsigned: Vec<_> = unsigned.collect();
    if !unsigned.is_empty() {
        return Err(SignatureError::HeadersNotSigned(unsigned.join(", ")));
    }
    // The signer writes them in this form, whatever the request says.
    if !signed.is_sorted_by(|one, next| one < next) || signed.iter().any(|name| name.to_lowercase() != *name)
    {
        return Err(incomplete("SignedHeaders must be in lower case and sorted, each once"));
    }
    // The signer would look for the host elsewhere and abort where there is none.
    if !is_signed("host") || signed.iter().any(|name| !headers.contains_key(name)) {
        return Err(incomplete("SignedHeaders must name 'host', and only headers that the request has"));
    }
    Ok(())
}

/// Two values of a header that we act on are two meanings of one request.
fn single_header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| incomplete("a header holds unreadable characters"))
        }
        (Some(_), Some(_)) => Err(incomplete(format!("'{name}' stands there twice"))),
    }
}

/// A date in the one way to write it: the signer writes it anew.
fn read_date(text: &str) -> Result<Timestamp, SignatureError> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text)
        .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC))
        .map(|time| time.timestamp());
    time.ok()
        .filter(|time| amz_date(*time) == text)
        .ok_or_else(|| incomplete("X-Amz-Date must be written YYYYMMDD'T'HHMMSS'Z'"))
}

fn amz_date(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}
