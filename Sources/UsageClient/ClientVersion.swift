/// The version of the client, the same as the daemon's of one release.
public enum ClientVersion {
    public static let current = "0.1.0"
}
