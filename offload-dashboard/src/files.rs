//! `GET /pools`: the page and its files, which are part of the program.
//!
//! The page gets along with what this service sends: no framework, and by its content security policy no script, style or picture
//! from elsewhere, nor one that is written into the page.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::Page;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const FILES: [(&str, &str, &str); 9] = [
    ("/pools", HTML, include_str!("../page/index.html")),
    ("/pools/page.css", CSS, include_str!("../page/page.css")),
    ("/pools/page.js", JS, include_str!("../page/page.js")),
    ("/pools/overview.js", JS, include_str!("../page/overview.js")),
    ("/pools/executor.js", JS, include_str!("../page/executor.js")),
    ("/pools/dom.js", JS, include_str!("../page/dom.js")),
    ("/pools/chart.js", JS, include_str!("../page/chart.js")),
    ("/pools/format.js", JS, include_str!("../page/format.js")),
    ("/pools/icon.svg", SVG, include_str!("../page/icon.svg")),
];

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

pub(crate) fn routes() -> Router<Page> {
    FILES.into_iter().fold(Router::new(), |routes, (path, kind, text)| {
        routes.route(path, get(async move || (headers(kind), text).into_response()))
    })
}

fn headers(kind: &'static str) -> [(HeaderName, &'static str); 5] {
    [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // A newer service is a newer page.
        (header::CACHE_CONTROL, "no-cache"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The policy refuses all of these, and a browser that does so leaves a page without its looks or its life.
    #[test]
    fn the_page_has_nothing_written_into_it_and_nothing_from_elsewhere() {
        for (path, _, text) in FILES {
            for foreign in ["style=", "<style", "onclick=", "javascript:", "innerHTML", "https://", "eval("] {
                assert!(!text.contains(foreign), "{path} has {foreign}");
            }
            let http = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!http.contains("http://"), "{path} names another server");
        }
    }

    #[test]
    fn what_the_page_loads_is_there() {
        let served: Vec<&str> = FILES.iter().map(|(path, ..)| *path).collect();
        for (path, _, text) in FILES {
            for quoted in text.split('"').filter(|text| text.starts_with("pools/") && text.contains('.')) {
                assert!(served.contains(&&*format!("/{quoted}")), "{path} loads {quoted}");
            }
        }
    }
}
