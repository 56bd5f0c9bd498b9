/// What holds for the readers of all stores.
public struct StoreOptions: Hashable, Sendable {
    /// How long an object may be half made, seconds, before it is listed as far as it is known.
    public var graceSeconds: Double
    /// How long a directory that no metadata names must have stayed the same, seconds, to be called an orphan.
    public var orphanSeconds: Double
    /// Where the kubelet keeps the logs of pods.
    public var podLogs: String
    /// Where the kubelet keeps the volumes of pods.
    public var podVolumes: String
    /// Where an engine of Docker's finds the host's containerd.
    public var containerd: ContainerdDetection

    public init(
        graceSeconds: Double = 10, orphanSeconds: Double = 600, podLogs: String = "/var/log/pods",
        podVolumes: String = "/var/lib/kubelet/pods",
        containerd: ContainerdDetection = ContainerdDetection()
    ) {
        self.graceSeconds = graceSeconds
        self.orphanSeconds = orphanSeconds
        self.podLogs = podLogs
        self.podVolumes = podVolumes
        self.containerd = containerd
    }
}
