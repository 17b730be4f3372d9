//! Uploads a greeting into one's own folder, as whoever signed in by `daypass login`: `docs/rust.md`.

use std::error::Error;

use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::primitives::ByteStream;
use daypass_client::Daypass;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let daypass = Daypass::at("http://127.0.0.1:9400")?;
    println!("{}", upload(daypass, "http://127.0.0.1:9401").await?);
    Ok(())
}

/// The key that was written.
pub async fn upload(daypass: Daypass, s3_url: &str) -> Result<String, Box<dyn Error>> {
    let me = daypass.session().await?;
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(me.region.clone()))
        .endpoint_url(s3_url) // an S3 of your own; leave both lines out for Amazon's
        .force_path_style(true)
        .credentials_provider(daypass)
        .build();
    let key = format!("{}/hello-from-rust.txt", me.identity_id);
    let upload = aws_sdk_s3::Client::from_conf(config).put_object().bucket("daypass-demo").key(&key);
    upload.body(ByteStream::from_static(b"Hello from Rust")).send().await?;
    Ok(key)
}
