#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use datadog_catalogue::operation;
use serde_json::json;
use std::io::Read as _;

fn made(id: &str, arguments: Value) -> Result<(HeaderMap, Option<Bytes>), Refusal> {
    let Value::Object(arguments) = arguments else { panic!("an object") };
    contents(&Request::plan(operation(id).unwrap(), &arguments).unwrap())
}

#[test]
fn json_is_announced_as_the_operation_wants_it() {
    let (headers, body) = made("v2.ListLogs", json!({"body": {"filter": {"query": "a"}}})).unwrap();
    assert_eq!(headers[CONTENT_TYPE], "application/json");
    assert_eq!(body.unwrap(), br#"{"filter":{"query":"a"}}"#.as_slice());
    let (headers, _) = made("v1.SubmitMetrics", json!({"body": {"series": []}})).unwrap();
    assert_eq!(headers[CONTENT_TYPE], "text/json");
    let (headers, body) = made("v2.ListLogsGet", json!({})).unwrap();
    assert!(!headers.contains_key(CONTENT_TYPE) && body.is_none());
    assert_eq!(headers[ACCEPT], "application/json, */*;q=0.5");
}

#[test]
fn an_announced_encoding_is_done() {
    let body = json!({"series": [{"metric": "m".repeat(500)}]});
    let plain = serde_json::to_vec(&body).unwrap();
    for encoding in ["gzip", "deflate", "zstd1"] {
        let (headers, sent) = made("v2.SubmitMetrics", json!({"body": body, "Content-Encoding": encoding})).unwrap();
        assert_eq!(headers[CONTENT_ENCODING], encoding);
        let sent = sent.unwrap();
        assert!(sent.len() < plain.len());
        let mut back = Vec::new();
        match encoding {
            "gzip" => flate2::read::GzDecoder::new(sent.as_ref()).read_to_end(&mut back).unwrap(),
            "deflate" => flate2::read::ZlibDecoder::new(sent.as_ref()).read_to_end(&mut back).unwrap(),
            _ => {
                back = zstd::decode_all(sent.as_ref()).unwrap();
                0
            }
        };
        assert_eq!(back, plain, "{encoding}");
    }
}

#[test]
fn files_are_uploaded_as_a_form() {
    let (headers, body) = made("v2.CreateOpenAPI", json!({"body": {"openapi_spec_file": "openapi: 3.0.0\r\n"}})).unwrap();
    let content_type = headers[CONTENT_TYPE].to_str().unwrap().to_owned();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
    assert!(body.starts_with(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"openapi_spec_file\"")), "{body}");
    assert!(body.ends_with(&format!("\r\n\r\nopenapi: 3.0.0\r\n\r\n--{boundary}--\r\n")), "{body}");
    let (_, body) = made("v2.GetStegadographyWidgets", json!({"body": {"image": "data:image/png;base64,iVBORw=="}})).unwrap();
    assert!(body.unwrap().windows(4).any(|w| w == b"\x89PNG"));
    for bad in [json!([]), json!({"image": 5}), json!({"a\"b": "x"}), json!({"image": "data:image/png;base64,?"})] {
        assert!(made("v2.GetStegadographyWidgets", json!({"body": bad})).is_err());
    }
}
