//! The document for people: one HTML page, made from the OpenAPI document, without scripts or assets.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}\
    h1,h2{border-bottom:1px solid #d0d7de;padding-bottom:.3rem}h3{margin:2rem 0 .2rem;font:600 15px/1.5 ui-monospace,monospace}\
    .m{display:inline-block;min-width:4rem;color:#0550ae}code,pre{font:13px/1.45 ui-monospace,monospace;background:#f6f8fa}\
    pre{padding:.7rem;overflow:auto;border-radius:6px}table{border-collapse:collapse;width:100%}td,th{text-align:left;\
    vertical-align:top;padding:.2rem .6rem .2rem 0;border-bottom:1px solid #eaeef2}nav a{margin-right:1rem}.q{color:#59636e}\
    @media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}code,pre{background:#161b22}.m{color:#79c0ff}\
    a{color:#79c0ff}td,th,h1,h2{border-color:#30363d}.q{color:#9198a1}}";
/// How deep an example goes into a schema.
const DEPTH: usize = 6;

/// Renders the page.
pub(crate) fn render(document: &Value) -> String {
    let mut html = String::with_capacity(256 * 1024);
    let info = &document["info"];
    let mut tags: Vec<&str> = Vec::new();
    let operations = operations(document);
    for (_, _, operation) in &operations {
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    push(
        &mut html,
        format_args!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title} {version}</title><style>{STYLE}</style></head><body><h1>{title} {version}</h1>",
            title = text(&info["title"]),
            version = text(&info["version"]),
        ),
    );
    for paragraph in info["description"]
        .as_str()
        .unwrap_or_default()
        .split("\n\n")
    {
        push(&mut html, format_args!("<p>{}</p>", marked(paragraph)));
    }
    html.push_str("<p>For machines: <a href=\"/openapi.json\">/openapi.json</a></p><nav>");
    for tag in &tags {
        push(
            &mut html,
            format_args!("<a href=\"#{}\">{}</a>", anchor(tag), escape(tag)),
        );
    }
    html.push_str("</nav>");
    for tag in tags {
        push(
            &mut html,
            format_args!("<h2 id=\"{}\">{}</h2>", anchor(tag), escape(tag)),
        );
        for (path, method, operation) in operations.iter().filter(|(_, _, o)| o["tags"][0] == tag) {
            render_operation(&mut html, document, (path, method), operation);
        }
    }
    html.push_str("</body></html>");
    html
}

fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            all.push((path.as_str(), method.as_str(), operation));
        }
    }
    all
}

fn render_operation(
    html: &mut String,
    document: &Value,
    (path, method): (&str, &str),
    operation: &Value,
) {
    push(
        html,
        format_args!(
            "<h3 id=\"{id}\"><span class=\"m\">{method}</span> {path}</h3><p>{summary}",
            id = text(&operation["operationId"]),
            method = method.to_uppercase(),
            path = escape(path),
            summary = text(&operation["summary"]),
        ),
    );
    for note in operation["description"]
        .as_str()
        .unwrap_or_default()
        .split("\n\n")
    {
        push(
            html,
            format_args!(" <span class=\"q\">{}</span>", marked(note)),
        );
    }
    html.push_str("</p>");
    render_parameters(html, operation);
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    push(
        html,
        format_args!(
            "<pre>{}</pre>",
            escape(&curl(document, (path, method), operation))
        ),
    );
    if !schema.is_null() {
        render_fields(html, document, schema);
    }
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let schema = &response["content"]["application/json"]["schema"];
        if schema.is_null() || status == "202" {
            continue;
        }
        let example = example(document, schema, DEPTH);
        let shown = serde_json::to_string_pretty(&example).unwrap_or_default();
        push(
            html,
            format_args!(
                "<details><summary>{status}</summary><pre>{}</pre></details>",
                escape(&shown)
            ),
        );
    }
}

fn render_parameters(html: &mut String, operation: &Value) {
    let parameters = operation["parameters"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if parameters.is_empty() {
        return;
    }
    html.push_str("<table>");
    for parameter in parameters {
        let required = if parameter["required"] == true {
            "required"
        } else {
            ""
        };
        push(
            html,
            format_args!(
                "<tr><td><code>{}</code></td><td class=\"q\">{} {required}</td><td>{}</td></tr>",
                text(&parameter["name"]),
                text(&parameter["in"]),
                marked(parameter["description"].as_str().unwrap_or_default()),
            ),
        );
    }
    html.push_str("</table>");
}

fn render_fields(html: &mut String, document: &Value, schema: &Value) {
    let schema = resolve(document, schema);
    let required = schema["required"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    html.push_str("<table>");
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let is_required = required.iter().any(|known| known == name.as_str());
        push(
            html,
            format_args!(
                "<tr><td><code>{}</code></td><td class=\"q\">{} {}</td><td>{}</td></tr>",
                escape(name),
                escape(&kind(document, field)),
                if is_required { "required" } else { "" },
                marked(field["description"].as_str().unwrap_or_default()),
            ),
        );
    }
    html.push_str("</table>");
}

/// A call that can be pasted into a shell.
fn curl(document: &Value, (path, method): (&str, &str), operation: &Value) -> String {
    let mut call = format!(
        "curl -X {} http://localhost:3000{path}",
        method.to_uppercase()
    );
    if operation["security"].is_null() {
        call.push_str(" \\\n  -H \"Authorization: Bearer $TOKEN\"");
    }
    let parameters = operation["parameters"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if parameters
        .iter()
        .any(|parameter| parameter["name"] == "Idempotency-Key")
    {
        call.push_str(" \\\n  -H \"Idempotency-Key: $(uuidgen)\"");
    }
    let content = &operation["requestBody"]["content"];
    if let Some(json) = content.get("application/json") {
        let schema = resolve(document, &json["schema"]);
        let example = required_only(document, schema);
        let body = serde_json::to_string(&example).unwrap_or_default();
        push(
            &mut call,
            format_args!(" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{body}'"),
        );
    } else if !content.is_null() {
        call.push_str(" \\\n  --data-binary @file");
    }
    call
}

/// The fields that must be there; for a body without any, all that may.
fn required_only(document: &Value, schema: &Value) -> Value {
    let Some(required) = schema["required"].as_array() else {
        return json!({});
    };
    let fields = required.iter().filter_map(Value::as_str).map(|name| {
        let field = &schema["properties"][name];
        (name.to_owned(), example(document, field, DEPTH))
    });
    Value::Object(fields.collect::<Map<String, Value>>())
}

fn example(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolve(document, schema);
    if depth == 0 {
        return json!({});
    }
    if let Some(word) = schema["enum"].get(0) {
        return word.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let shown =
                fields.map(|(name, field)| (name.clone(), example(document, field, depth - 1)));
            Value::Object(shown.collect())
        }
        Some("array") => json!([example(document, &schema["items"], depth - 1)]),
        Some("integer") => json!(1),
        Some("number") => json!(0.5),
        Some("boolean") => json!(true),
        Some("string") if schema["format"] == "date-time" => json!("2026-01-31T12:00:00Z"),
        _ => json!("…"),
    }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'))
    {
        Some(pointer) => document.pointer(pointer).unwrap_or(schema),
        None => schema,
    }
}

fn kind(document: &Value, schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let words = resolve(document, schema)["enum"].as_array();
        if let Some(words) = words {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            return words.join(" | ");
        }
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("array"), _) => format!("{}[]", kind(document, &schema["items"])),
        (_, Some("date-time")) => "time".to_owned(),
        (Some(kind), _) => kind.to_owned(),
        (None, _) => String::new(),
    }
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

/// Escaped, with `code` and **strong** of Markdown.
fn marked(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for (place, part) in escape(text).split('`').enumerate() {
        if place % 2 == 1 {
            push(&mut html, format_args!("<code>{part}</code>"));
        } else {
            for (place, part) in part.split("**").enumerate() {
                let tag = if place % 2 == 1 {
                    ("<strong>", "</strong>")
                } else {
                    ("", "")
                };
                push(&mut html, format_args!("{}{part}{}", tag.0, tag.1));
            }
        }
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn anchor(tag: &str) -> String {
    tag.to_lowercase().replace(' ', "-")
}

fn push(html: &mut String, arguments: std::fmt::Arguments<'_>) {
    html.write_fmt(arguments)
        .expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_shows_every_route_and_loads_nothing_from_elsewhere() {
        let html = super::render(crate::http::document::document());
        for route in crate::http::routes() {
            assert!(
                html.contains(&format!("</span> {}</h3>", route.path)),
                "{route:?}"
            );
        }
        for foreign in ["<script", "<link", "<img", "src=", "https://"] {
            assert!(!html.contains(foreign), "{foreign}");
        }
    }
}
