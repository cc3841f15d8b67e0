// The levels of durability, and exactly what each promises.

/// When a commit is on stable storage.
public enum Durability: Sendable, Hashable {
    /// Before commit returns (group commit: one sync serves all that wait).
    case full
    /// Within the interval; a power cut may lose the newest commits, never their order or
    /// atomicity.
    case periodic(Duration)
    /// Whenever the system writes back; a process crash loses nothing, a power cut may lose recent
    /// commits.
    case relaxed
}
