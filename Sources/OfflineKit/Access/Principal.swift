// Who asks. The application authenticates, and says so; the store only enforces.

/// Who is asking, in a session. The application authenticates; the store enforces.
///
/// ```swift
/// let session = store.session(as: Principal(id: "ann", roles: ["clerk"]))
/// ```
public struct Principal: Sendable, Hashable {
    /// What `"$principal"` stands for in the filters of policies.
    public let id: String
    /// What policies grant rights to. Everybody has the role `"*"` too.
    public let roles: Set<String>

    /// Somebody with these roles.
    public init(id: String, roles: Set<String> = []) {
        self.id = id
        self.roles = roles
    }
}
