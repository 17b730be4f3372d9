//! Buckets, and the origins that they let in.

use s3s::dto::{
    Bucket, BucketLocationConstraint, CORSRule, CreateBucketInput, CreateBucketOutput, GetBucketCorsOutput,
    ListBucketsInput, ListBucketsOutput, PutBucketCorsInput,
};
use s3s::{S3Result, s3_error};

use super::off::owner;
use crate::s3::disk::{CorsRule, Disk};
use crate::s3::moment::timestamp;

/// How many rules a bucket has at most, and the methods that they may name.
const MOST_RULES: usize = 100;
const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];
/// How many buckets a page has at most.
const MOST_BUCKETS: i32 = 10_000;

pub(super) fn list(disk: &Disk, region: &str, input: ListBucketsInput) -> S3Result<ListBucketsOutput> {
    let most = input.max_buckets.unwrap_or(MOST_BUCKETS);
    if !(1..=MOST_BUCKETS).contains(&most) {
        return Err(s3_error!(
            InvalidArgument,
            "Argument max-buckets must be an integer between 1 and 10000."
        ));
    }
    let (prefix, after) =
        (input.prefix.clone().unwrap_or_default(), input.continuation_token.unwrap_or_default());
    let mut buckets = disk.buckets()?;
    buckets.retain(|(name, _)| name.starts_with(&prefix) && *name > after);
    if input.bucket_region.is_some_and(|wanted| wanted != region) {
        buckets.clear();
    }
    let most = usize::try_from(most).unwrap_or_default();
    let is_truncated = buckets.len() > most;
    buckets.truncate(most);
    let next = buckets.last().map(|(name, _)| name.clone()).filter(|_| is_truncated);
    // Only pages say where buckets are.
    let is_page = input.max_buckets.is_some();
    let buckets = buckets.into_iter().map(|(name, created)| Bucket {
        name: Some(name),
        creation_date: Some(timestamp(created)),
        bucket_region: is_page.then(|| region.to_owned()),
    });
    Ok(ListBucketsOutput {
        buckets: Some(buckets.collect()),
        continuation_token: next,
        owner: Some(owner()),
        prefix: input.prefix,
    })
}

pub(super) fn create(disk: &Disk, region: &str, input: CreateBucketInput) -> S3Result<CreateBucketOutput> {
    let asked = input.create_bucket_configuration.and_then(|it| it.location_constraint);
    if asked.is_some_and(|asked| !asked.as_str().is_empty() && asked.as_str() != region) {
        return Err(s3_error!(
            IllegalLocationConstraintException,
            "The location constraint is incompatible for the region specific endpoint this request was sent to: {region}."
        ));
    }
    disk.create_bucket(&input.bucket)?;
    Ok(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) })
}

/// The oldest Region has no name here.
pub(super) fn location(region: &str) -> Option<BucketLocationConstraint> {
    (region != "us-east-1").then(|| BucketLocationConstraint::from(region.to_owned()))
}

pub(super) fn cors(disk: &Disk, bucket: &str) -> S3Result<GetBucketCorsOutput> {
    let rules = disk.bucket(bucket)?.cors;
    if rules.is_empty() {
        return Err(s3_error!(NoSuchCORSConfiguration, "The CORS configuration does not exist."));
    }
    let rules = rules.into_iter().map(|rule| CORSRule {
        id: rule.id,
        allowed_origins: rule.origins,
        allowed_methods: rule.methods,
        allowed_headers: Some(rule.headers).filter(|headers| !headers.is_empty()),
        expose_headers: Some(rule.exposed).filter(|headers| !headers.is_empty()),
        max_age_seconds: rule.max_age,
    });
    Ok(GetBucketCorsOutput { cors_rules: Some(rules.collect()) })
}

pub(super) fn put_cors(disk: &Disk, input: PutBucketCorsInput) -> S3Result<()> {
    let rules = input.cors_configuration.cors_rules;
    if rules.is_empty() || rules.len() > MOST_RULES {
        return Err(s3_error!(MalformedXML, "A CORS configuration has 1 to 100 rules."));
    }
    let rules: Vec<CorsRule> = rules.into_iter().map(rule).collect::<S3Result<_>>()?;
    Ok(disk.set_cors(&input.bucket, &rules)?)
}

fn rule(rule: CORSRule) -> S3Result<CorsRule> {
    if rule.allowed_origins.is_empty() || rule.allowed_methods.is_empty() {
        return Err(s3_error!(MalformedXML, "A CORS rule names an origin and a method at least."));
    }
    if let Some(method) = rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
        return Err(s3_error!(InvalidRequest, "Found unsupported HTTP method in CORS config: {method}."));
    }
    let has_two_stars = |text: &&String| text.matches('*').count() > 1;
    let headers = rule.allowed_headers.unwrap_or_default();
    if let Some(text) = rule.allowed_origins.iter().chain(&headers).find(has_two_stars) {
        return Err(s3_error!(InvalidRequest, "\"{text}\" can not have more than one wildcard."));
    }
    Ok(CorsRule {
        id: rule.id,
        origins: rule.allowed_origins,
        methods: rule.allowed_methods,
        headers,
        exposed: rule.expose_headers.unwrap_or_default(),
        max_age: rule.max_age_seconds,
    })
}
