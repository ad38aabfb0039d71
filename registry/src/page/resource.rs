//! What there is under which path.

/// Something that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The page itself, complete without JavaScript.
    Page,
    /// How it looks.
    Style,
    /// What keeps it up to date.
    Script,
    /// The small picture in a browser's tab.
    Icon,
    /// The page's state, again whenever it has changed (server-sent events).
    Events,
    /// For Prometheus.
    Metrics,
    /// Who is there, for programs.
    Users,
    /// Rooms and who is in them, for programs.
    Rooms,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Page,
        Self::Style,
        Self::Script,
        Self::Icon,
        Self::Events,
        Self::Metrics,
        Self::Users,
        Self::Rooms,
    ];

    /// Where it is.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Page => "/",
            Self::Style => "/style.css",
            Self::Script => "/page.js",
            Self::Icon => "/icon.svg",
            Self::Events => "/events",
            Self::Metrics => "/metrics",
            Self::Users => "/api/users",
            Self::Rooms => "/api/rooms",
        }
    }

    /// What is at a path, whatever is asked of it behind `?`.
    pub fn at(target: &str) -> Option<Self> {
        let path = target.split('?').next().unwrap_or_default();
        Self::ALL.into_iter().find(|resource| resource.path() == path)
    }

    /// Its type (RFC 9110, section 8.3); that of metrics is a matter of what was asked for.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Page => "text/html; charset=utf-8",
            Self::Style => "text/css; charset=utf-8",
            Self::Script => "text/javascript; charset=utf-8",
            Self::Icon => "image/svg+xml",
            Self::Events => "text/event-stream",
            Self::Metrics => "text/plain; version=0.0.4; charset=utf-8",
            Self::Users | Self::Rooms => "application/json",
        }
    }

    /// What never changes and needs no look at the registry.
    pub(super) const fn asset(self) -> Option<&'static str> {
        match self {
            Self::Style => Some(include_str!("assets/style.css")),
            Self::Script => Some(include_str!("assets/page.js")),
            Self::Icon => Some(include_str!("assets/icon.svg")),
            Self::Page | Self::Events | Self::Metrics | Self::Users | Self::Rooms => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_there_is_found() {
        for resource in Resource::ALL {
            assert_eq!(Resource::at(resource.path()), Some(resource));
        }
        assert_eq!(Resource::at("/?from=mail"), Some(Resource::Page));
        for path in
            ["", "?", "//", "/index.html", "/style.css/", "/../etc/passwd", "/%2e%2e/", "/METRICS", "*"]
        {
            assert_eq!(Resource::at(path), None, "{path}");
        }
    }
}
