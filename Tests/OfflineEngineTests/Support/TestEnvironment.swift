// Numbers that make a run longer, from the environment.
#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

enum TestEnvironment {
    static func integer(_ name: String, default value: Int) -> Int {
        guard let text = unsafe getenv(name) else { return value }
        return Int(unsafe String(cString: text)) ?? value
    }
}
