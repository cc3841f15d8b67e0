/// Named fields in an order that is kept for output and ignored by `==`.
public struct Document: Sendable, Hashable {}
extension Value: Hashable {
    public static func == (a: Value, b: Value) -> Bool { false }
    public func hash(into hasher: inout Hasher) {}
    public func json(pretty: Bool = false) -> String { "" }
}
