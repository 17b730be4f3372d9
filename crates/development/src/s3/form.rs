//! Uploads by HTML form (S3 API Reference, POST Object). `s3s` reads a form, verifies the signature of its policy and judges
//! the policy's conditions; but whose credentials signed it, only the fields say, so the gate reads those beforehand.

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, Method, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;

/// How many bytes of fields may stand before the file.
const MOST: usize = 64 << 10;

/// What the fields of a form say of whoever made it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    pub credential: Option<String>,
    pub session_token: Option<String>,
    /// Of version 4. `s3s` would take one of version 2 as well.
    pub signature: Option<String>,
    /// The name of the file on the disk of whoever sends it.
    pub file_name: Option<String>,
}

/// Whether a request is a form.
pub(super) fn is_form(method: &Method, headers: &HeaderMap) -> bool {
    let content_type =
        headers.get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes).unwrap_or_default();
    method == Method::POST && content_type.to_ascii_lowercase().starts_with(b"multipart/form-data")
}

/// Reads the fields before the file, and gives the body back whole.
///
/// # Errors
/// If it is no form with a file, in words for whoever made it.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<(Fields, Body), &'static str> {
    let boundary = boundary(headers).ok_or("The form has no boundary.")?;
    let (mut stream, mut read, mut enough) = (body.into_data_stream(), BytesMut::new(), 0);
    let fields = loop {
        let is_end = gather(&mut stream, &mut read, enough).await?;
        if let Some(fields) = fields(&read, &boundary)? {
            break fields;
        }
        if is_end {
            return Err("The form has no file.");
        }
        if read.len() > MOST {
            return Err("There are more than 64 KiB of fields before the file.");
        }
        // What comes byte by byte is not read again for each.
        enough = read.len() + read.len() / 4;
    };
    let begun = futures::stream::once(std::future::ready(Ok::<Bytes, axum::Error>(read.freeze())));
    Ok((fields, Body::from_stream(begun.chain(stream))))
}

/// Reads until there is more than enough, and says whether that is the end.
async fn gather(
    stream: &mut BodyDataStream,
    read: &mut BytesMut,
    enough: usize,
) -> Result<bool, &'static str> {
    while read.len() <= enough {
        let Some(chunk) = stream.next().await else { return Ok(true) };
        read.extend_from_slice(&chunk.map_err(|_| "The form did not arrive whole.")?);
    }
    Ok(false)
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let parameter = text.split(';').map(str::trim).find_map(|it| it.strip_prefix("boundary="))?;
    Some(parameter.trim_matches('"').to_owned()).filter(|boundary| !boundary.is_empty())
}

/// The fields, once the file begins.
fn fields(read: &[u8], boundary: &str) -> Result<Option<Fields>, &'static str> {
    let delimiter = format!("\r\n--{boundary}\r\n");
    // The first one stands at the beginning of the body.
    let Some(mut rest) = read.strip_prefix(&delimiter.as_bytes()[2..]) else {
        return if read.len() < delimiter.len() {
            Ok(None)
        } else {
            Err("The form does not begin with its boundary.")
        };
    };
    let mut fields = Fields::default();
    loop {
        let Some((head, after)) = split(rest, b"\r\n\r\n") else { return Ok(None) };
        let head = String::from_utf8_lossy(head);
        let name = parameter(&head, "name").unwrap_or_default().to_ascii_lowercase();
        if name == "file" {
            fields.file_name = parameter(&head, "filename");
            return Ok(Some(fields));
        }
        let Some((value, next)) = split(after, delimiter.as_bytes()) else { return Ok(None) };
        let place = match name.as_str() {
            "x-amz-credential" => Some(&mut fields.credential),
            "x-amz-security-token" => Some(&mut fields.session_token),
            "x-amz-signature" => Some(&mut fields.signature),
            _ => None,
        };
        if let Some(place) = place {
            let value = String::from_utf8_lossy(value).into_owned();
            if place.replace(value).is_some() {
                return Err("A field of the form stands there twice.");
            }
        }
        rest = next;
    }
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let position = bytes.windows(at.len()).position(|window| window == at)?;
    Some((bytes.get(..position)?, bytes.get(position + at.len()..)?))
}

/// A parameter of the part's Content-Disposition.
fn parameter(head: &str, name: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let mut parameters = line.split(';').map(str::trim);
    let value = parameters.find_map(|it| it.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(parts: &[(&str, &str)]) -> Vec<u8> {
        let part = |(name, value): &(&str, &str)| {
            format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let fields: String = parts.iter().map(part).collect();
        let file = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"me.png\"\r\n\
                    Content-Type: image/png\r\n\r\nbytes\r\n--B--\r\n";
        (fields + file).into_bytes()
    }

    #[test]
    fn the_fields_before_the_file_are_read() {
        let form = form(&[("key", "a"), ("X-Amz-Credential", "AKIA/1"), ("x-amz-security-token", "t\r\n-")]);
        let whole = Fields {
            credential: Some("AKIA/1".into()),
            session_token: Some("t\r\n-".into()),
            signature: None,
            file_name: Some("me.png".into()),
        };
        assert_eq!(fields(&form, "B"), Ok(Some(whole)));
        let first = form.len() - "\r\nbytes\r\n--B--\r\n".len() - 1;
        assert_eq!(fields(&form[..first], "B"), Ok(None));
    }

    #[test]
    fn what_stands_there_twice_is_refused() {
        let twice = form(&[("x-amz-credential", "a"), ("x-amz-credential", "b")]);
        assert!(fields(&twice, "B").is_err());
        assert!(fields(b"no boundary at all ..", "B").is_err());
    }

    #[tokio::test]
    async fn a_form_that_comes_byte_by_byte_is_the_same() {
        let form = form(&[("x-amz-credential", "AKIA/1")]);
        let headers = HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("multipart/form-data; boundary=B"),
        )]);
        let drip = |form: Vec<u8>| {
            let bytes = form.into_iter().map(|byte| Ok::<_, std::io::Error>(Bytes::from(vec![byte])));
            Body::from_stream(futures::stream::iter(bytes))
        };
        let (fields, body) = read(&headers, drip(form.clone())).await.unwrap();
        assert_eq!(fields.credential.as_deref(), Some("AKIA/1"));
        assert_eq!(axum::body::to_bytes(body, MOST).await.unwrap(), form);
        let cut = form.get(..form.len() / 3).unwrap().to_vec();
        assert!(read(&headers, drip(cut)).await.is_err());
    }
}
