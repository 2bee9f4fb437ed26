//! What the generated tables share: the types, and the values that most entries have.

pub(crate) use crate::operation::Method::{Delete, Get, Patch, Post, Put};
pub(crate) use crate::operation::{Auth, Body, Host, Kind, OAuth, Operation, Paging, Param, ParamType, Permission, PermissionRule, Place};

pub(crate) const OPERATION: Operation = Operation {
    id: "",
    tag: "",
    method: Get,
    path: "",
    params: &[],
    body: None,
    answers: &["application/json"],
    kind: Kind::Read,
    oauth: OAuth::DefaultNoScope,
    auth: Auth { api_key: true, app_key: true, bearer: true },
    scopes: &[],
    permission: None,
    paging: None,
    host: Host::Api,
    unstable: false,
    deprecated: false,
    official: true,
    returns_secret: false,
};

pub(crate) const PARAM: Param = Param {
    name: "",
    place: Place::Query,
    kind: ParamType::Text(None),
    required: false,
    explode: false,
    values: &[],
    default: None,
    min: None,
    max: None,
};

pub(crate) const PAGING: Paging =
    Paging { limit: None, cursor: None, cursor_path: None, offset: None, page: None, first_page: 0, results: None };
