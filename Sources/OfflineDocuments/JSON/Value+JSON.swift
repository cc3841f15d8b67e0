extension Value {
    /// The value as JSON text.
    public func json(pretty: Bool = false) -> String { "" }
}
