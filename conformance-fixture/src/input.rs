//! Tools that end a request with `input_required` and go on in the next (2026-07-28).
#![expect(deprecated, reason = "sampling and roots are deprecated and still part of the suite")]

use crate::surface::Fixture;
use datadog_mcp::mcp::{Failure, ToolCall};
use rmcp::{
    ErrorData,
    model::{
        CallToolResponse, CallToolResult, ContentBlock, CreateMessageRequest, CreateMessageRequestParams, ElicitRequest,
        ElicitRequestParams, InputRequest, InputRequests, InputRequiredResult, InputResponses, ListRootsRequest, SamplingMessage,
    },
};
use serde_json::{Value, json};

/// What binds sealed state to this server; a product binds principal, tool and arguments.
const BOUND: &[u8] = b"conformance-fixture";

pub(crate) fn call(fixture: &Fixture, call: &ToolCall<'_>) -> Result<CallToolResponse, Failure> {
    let name = call.request.name.as_ref();
    let state = open(fixture, call.request.request_state.as_deref())?;
    let answers = call.request.input_responses.as_ref();
    let kind = name.strip_prefix("test_input_required_result_").unwrap_or("elicitation");
    let capabilities = call.cx.client_capabilities().unwrap_or_default();
    let (requests, keep): (InputRequests, Option<Value>) = match kind {
        "sampling" => ([("capital_question".to_owned(), sample("What is the capital of France?", 100))].into(), None),
        "list_roots" => ([("client_roots".to_owned(), roots())].into(), None),
        "request_state" | "tampered_state" => {
            ([("confirm".to_owned(), ask("Please confirm", "ok", "boolean")?)].into(), Some(json!("confirming")))
        }
        "multiple_inputs" => (
            [
                ("user_name".to_owned(), ask("What is your name?", "name", "string")?),
                ("greeting".to_owned(), sample("Generate a greeting", 50)),
                ("client_roots".to_owned(), roots()),
            ]
            .into(),
            Some(json!("several")),
        ),
        "multi_round" if state == Some(json!("first")) && has(answers, "step1") => {
            ([("step2".to_owned(), ask("Step 2: What is your favorite color?", "color", "string")?)].into(), Some(json!("second")))
        }
        "multi_round" if state == Some(json!("second")) => {
            ([("step2".to_owned(), ask("Step 2: What is your favorite color?", "color", "string")?)].into(), Some(json!("second")))
        }
        "multi_round" => ([("step1".to_owned(), ask("Step 1: What is your name?", "name", "string")?)].into(), Some(json!("first"))),
        "capabilities" => {
            let mut requests = InputRequests::new();
            if capabilities.elicitation.is_some() {
                requests.insert("user_name".to_owned(), ask("What is your name?", "name", "string")?);
            }
            if capabilities.sampling.is_some() {
                requests.insert("greeting".to_owned(), sample("Generate a greeting", 50));
            }
            (requests, None)
        }
        _ => ([("user_name".to_owned(), ask("What is your name?", "name", "string")?)].into(), None),
    };
    let complete = !requests.is_empty() && requests.keys().all(|key| has(answers, key)) && (keep.is_none() || state == keep);
    if complete {
        return Ok(CallToolResult::success(vec![ContentBlock::text(finished(kind, answers))]).into());
    }
    let sealed =
        keep.map(|state| fixture.codec.seal_json_with(&state, &rmcp::model::SealOptions::new().associated_data(BOUND))).transpose();
    let sealed = sealed.map_err(|error| Failure::Protocol(ErrorData::internal_error(error.to_string(), None)))?;
    Ok(InputRequiredResult::new(Some(requests), sealed).into())
}

/// The state that came back; a changed one is refused.
fn open(fixture: &Fixture, sealed: Option<&str>) -> Result<Option<Value>, Failure> {
    let Some(sealed) = sealed else { return Ok(None) };
    let opened = fixture.codec.open_json_with(sealed, BOUND);
    opened.map(Some).map_err(|_| Failure::Protocol(ErrorData::invalid_params("requestState was changed", None)))
}

/// An answer of the right shape is there: an object, as every kind of input is answered with one.
fn has(answers: Option<&InputResponses>, key: &str) -> bool {
    answers.and_then(|answers| answers.get(key)).is_some_and(Value::is_object)
}

fn finished(kind: &str, answers: Option<&InputResponses>) -> String {
    let said = answers.map(|answers| json!(answers)).unwrap_or_default();
    match kind {
        "elicitation" => format!("Hello, {}!", said["user_name"]["content"]["name"].as_str().unwrap_or("stranger")),
        "request_state" => "state-ok".to_owned(),
        _ => format!("complete: {said}"),
    }
}

pub(crate) fn ask(message: &str, field: &str, kind: &str) -> Result<InputRequest, Failure> {
    let schema = json!({"type": "object", "properties": {field: {"type": kind}}, "required": [field]});
    let requested_schema =
        serde_json::from_value(schema).map_err(|error| Failure::Protocol(ErrorData::internal_error(error.to_string(), None)))?;
    let params = ElicitRequestParams::FormElicitationParams { meta: None, message: message.to_owned(), requested_schema };
    Ok(InputRequest::Elicitation(ElicitRequest::new(params)))
}

fn sample(question: &str, tokens: u32) -> InputRequest {
    let params = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(question)], tokens);
    InputRequest::CreateMessage(CreateMessageRequest::new(params))
}

fn roots() -> InputRequest {
    InputRequest::ListRoots(ListRootsRequest::default())
}
