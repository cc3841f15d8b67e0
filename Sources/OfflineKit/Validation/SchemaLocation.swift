// Where a schema is and what refers to it: URIs (RFC 3986, as far as `$id` and `$ref` need them) and JSON pointers (RFC 6901).
//
// Nothing is ever fetched: a URI is a name, and what it names is in the same schema or nowhere.

/// A URI, or a reference to be resolved against one, without its fragment.
struct SchemaURI: Sendable, Hashable {
    var scheme: String?
    var authority: String?
    var path = ""
    var query: String?

    /// The reference in `text`, and the fragment behind its `#`; nil where there is none.
    static func parse(_ text: String) -> (uri: SchemaURI, fragment: String?) {
        var uri = SchemaURI()
        var rest = Substring(text)
        let fragment = cut(&rest, at: "#")
        uri.query = cut(&rest, at: "?")
        if let colon = rest.firstIndex(of: ":"), isScheme(rest[..<colon]) {
            uri.scheme = rest[..<colon].lowercased()
            rest = rest[rest.index(after: colon)...]
        }
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            uri.authority = String(rest[..<end])
            rest = rest[end...]
        }
        uri.path = String(rest)
        return (uri, fragment)
    }

    /// Takes what is behind the first `mark`, and the mark, off the end.
    private static func cut(_ rest: inout Substring, at mark: Character) -> String? {
        guard let place = rest.firstIndex(of: mark) else { return nil }
        defer { rest = rest[..<place] }
        return String(rest[rest.index(after: place)...])
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, UInt8(ascii: "A")...UInt8(ascii: "z") ~= first else {
            return false
        }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }

    /// What the reference means where this is the base.
    func resolve(_ reference: SchemaURI) -> SchemaURI {
        var result = reference
        if reference.scheme != nil {
            result.path = SchemaURI.withoutDots(reference.path)
            return result
        }
        result.scheme = scheme
        if reference.authority != nil {
            result.path = SchemaURI.withoutDots(reference.path)
            return result
        }
        result.authority = authority
        if reference.path.isEmpty {
            result.path = path
            result.query = reference.query ?? query
        } else if reference.path.hasPrefix("/") {
            result.path = SchemaURI.withoutDots(reference.path)
        } else {
            let folder =
                authority != nil && path.isEmpty
                ? "/" : path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
            result.path = SchemaURI.withoutDots(folder + reference.path)
        }
        return result
    }

    /// The path with its steps `.` and `..` taken.
    private static func withoutDots(_ path: String) -> String {
        var kept: [Substring] = []
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            switch part {
            case ".":
                if isLast { kept.append("") }
            case "..":
                if kept.count > 1 || kept.first?.isEmpty == false { kept.removeLast() }
                if isLast { kept.append("") }
            default: kept.append(part)
            }
        }
        return kept.joined(separator: "/")
    }
}

/// JSON pointers, kept in their written form: each step a `/` and a name with `~` and `/` escaped.
enum SchemaPointer {
    static func appending(_ name: String, to pointer: String) -> String {
        guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") })
        else { return pointer + "/" + name }
        var escaped = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return pointer + "/" + escaped
    }

    /// The pointer without its last step.
    static func parent(of pointer: String) -> String {
        pointer.lastIndex(of: "/").map { String(pointer[..<$0]) } ?? ""
    }

    /// A URI's fragment with its percent-encoded bytes; nil where that is no UTF-8.
    static func decoded(_ fragment: String) -> String? {
        var bytes: [UInt8] = []
        var rest = fragment.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ $0 != UInt8(ascii: "+") }),
                let decoded = UInt8(String(Substring(digits)), radix: 16)
            else { return nil }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
