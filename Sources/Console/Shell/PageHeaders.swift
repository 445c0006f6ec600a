import HTTPTypes

/// The header fields of every answer of the console.
enum PageHeaders {
    /// Nothing may be loaded, framed, sent or run but our own; no inline code, no inline style.
    static let contentSecurity = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
        "manifest-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
    ].joined(separator: "; ")

    static func add(to headers: inout HTTPFields) {
        headers[.contentSecurityPolicy] = contentSecurity
        headers[.xContentTypeOptions] = "nosniff"
        // Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
        headers[.referrerPolicy] = "same-origin"
        headers[.crossOriginOpenerPolicy] = "same-origin"
        headers[.crossOriginResourcePolicy] = "same-origin"
        headers[.frameOptions] = "DENY"
        headers[.permissionsPolicy] =
            "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()"
    }
}
