// Reading and writing one place in a document by its path. Unlike a filter's paths, these name a single place: a name
// steps into an object only, and into an array only a position.

extension Document {
    /// A dotted path: `address.city`, `tags.0`; nil where nothing is there.
    public func value(at path: String) -> Value? {
        guard let components = FieldPath.components(of: path) else { return nil }
        var value = Value.object(self)
        for component in components {
            let next: Value?
            switch value {
            case .object(let object): next = object[component.name]
            case .array: next = component.position.flatMap { value[$0] }
            default: next = nil
            }
            guard let next else { return nil }
            value = next
        }
        return value
    }

    /// Sets what is at a dotted path; nil removes it.
    ///
    /// Objects on the way are made where there are none, also in place of a scalar or null. In an array, a position
    /// within it is replaced (or removed, and the elements after it move up), and the position at its end appends. A path
    /// that steps into an array by a name or beyond its end, has an empty name in it, or is longer than any record is
    /// deep (100 names), sets nothing.
    public mutating func set(_ value: Value?, at path: String) {
        guard let components = FieldPath.components(of: path) else { return }
        set(value, at: components[...])
    }

    fileprivate mutating func set(_ value: Value?, at path: ArraySlice<PathComponent<String>>) {
        guard let first = path.first else { return }
        let rest = path.dropFirst()
        self[first.name] = rest.isEmpty ? value : self[first.name].setting(value, at: rest)
    }
}

extension Value? {
    /// This value, or what takes its place, with `value` at a path below it.
    fileprivate func setting(
        _ value: Value?, at path: ArraySlice<PathComponent<String>>
    ) -> Value? {
        switch self {
        case .object(var object):
            object.set(value, at: path)
            return .object(object)
        case .array(let elements):
            return .array(elements.setting(value, at: path))
        default:
            // Removing something makes nothing.
            guard value != nil else { return self }
            var object = Document()
            object.set(value, at: path)
            return .object(object)
        }
    }
}

extension [Value] {
    fileprivate func setting(
        _ value: Value?, at path: ArraySlice<PathComponent<String>>
    ) -> [Value] {
        guard let position = path.first?.position, position <= count else { return self }
        var result = self
        let rest = path.dropFirst()
        let old = position < count ? self[position] : nil
        let new = rest.isEmpty ? value : old.setting(value, at: rest)
        switch (old, new) {
        case (_?, let new?): result[position] = new
        case (_?, nil): result.remove(at: position)
        case (nil, let new?): result.append(new)
        case (nil, nil): break
        }
        return result
    }
}
