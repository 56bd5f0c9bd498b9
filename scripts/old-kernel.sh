#!/bin/bash
# Boots Debian 12's kernel (6.1), whose overlayfs tells upper directories nothing of data, in a software emulation,
# and has usaged account containers there. `make test-kernel` builds first; the run takes two minutes or more.
#
#   BIN                 where the executables are; .build/debug otherwise.
#   USAGED_TEST_CACHE   where the kernel's package is kept; /var/cache/usaged-tests otherwise.
#   TMPDIR              where the disk is made, 600 MB; /var/tmp otherwise.
set -euo pipefail
export LC_ALL=C

cd "$(dirname "$0")/.."
bin=$(cd "${BIN:-.build/debug}" && pwd)
cache=${USAGED_TEST_CACHE:-/var/cache/usaged-tests}/kernel-6.1
seconds=1500

die() {
    echo "old-kernel: $*" >&2
    exit 1
}

for name in usaged usage-client old-kernel-check; do
    [[ -x $bin/$name ]] || die "$bin/$name is missing; run: make test-kernel"
done
for program in qemu-system-x86_64 busybox cpio mkfs.ext4 curl; do
    command -v "$program" >/dev/null || die "$program is missing; run: make kernel-deps"
done

work=$(mktemp -d "${TMPDIR:-/var/tmp}/usaged-kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The kernel of the package that linux-image-cloud-amd64 depends on.
if [[ ! -d $cache/boot ]]; then
    package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-6\.1\.[^ ]*\)$/\1/p')
    if [[ -z $package ]]; then
        echo "old-kernel: left out: the archive of this host has no Linux 6.1 (Debian 12 has)"
        exit 0
    fi
    (cd "$work" && apt-get -qq download "$package" 2>/dev/null) || die "cannot download $package"
    dpkg --extract "$work"/linux-image-*.deb "$work/kernel"
    mkdir -p "${cache%/*}"
    rm -rf "$cache.new"
    cp -r "$work/kernel" "$cache.new"
    mv "$cache.new" "$cache"
fi
kernel=$(echo "$cache"/boot/vmlinuz-6.1.*)
modules=$(echo "$cache"/lib/modules/6.1.*)
[[ -f $kernel && -d $modules ]] || die "$cache holds no kernel; remove it and run again"

# A first root that only loads what the disk needs and goes over to it.
first=$work/first
mkdir -p "$first"/{bin,lib,proc,sys,dev,disk}
cp "$(command -v busybox)" "$first/bin/"
drivers="virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk overlay"
for driver in $drivers; do
    found=$(find "$modules" -name "$driver.ko")
    if [[ -n $found ]]; then cp "$found" "$first/lib/"; fi
done
cat >"$first/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t devtmpfs dev /dev
for driver in $drivers; do
    if [ -f /lib/\$driver.ko ]; then insmod /lib/\$driver.ko || echo "\$driver was not loaded"; fi
done
until [ -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 /dev/vda /disk
for directory in proc sys dev; do mount --move /\$directory /disk/\$directory; done
uname -srv
chroot /disk /bin/old-kernel-check /store
echo "status: \$?"
sync
poweroff -f
INIT
chmod +x "$first/init"
(cd "$first" && find . | cpio --create --format=newc --quiet) | gzip -1 >"$work/first.gz"

# The disk: the executables and the tools that the check runs, each with its libraries.
root=$work/root
mkdir -p "$root"/{bin,etc,proc,sys,dev,run,tmp,store,var/tmp}
chmod 1777 "$root/tmp" "$root/var/tmp"
add() {
    local library
    install -D -m 0755 "$1" "$root/bin/${1##*/}"
    for library in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
        [[ -e $root$library ]] || install -D -m 0755 "$library" "$root$library"
    done
}
for name in usaged usage-client old-kernel-check; do add "$bin/$name"; done
for program in curl du env fallocate head mkdir mount setpriv sh sleep unshare; do add "$(command -v "$program")"; done
ln -s bin "$root/sbin"
mkdir "$root/usr" && ln -s ../bin "$root/usr/bin"
truncate --size=600M "$work/disk.img"
mkfs.ext4 -q -d "$root" "$work/disk.img"

# No KVM: it is to run in a virtual machine too.
start=$SECONDS
timeout "$seconds" qemu-system-x86_64 -machine q35,accel=tcg -cpu max -smp 2 -m 1024 -nographic -no-reboot \
    -net none -kernel "$kernel" -initrd "$work/first.gz" -append "console=ttyS0 quiet panic=-1" \
    -drive "file=$work/disk.img,format=raw,if=virtio,cache=unsafe" </dev/null 2>&1 |
    sed -u -n 's/\r//g; s/^.*\(Linux 6[^ ]* #\)/\1/; /^Linux 6/,$p' | tee "$work/console" || die "the machine did not end within $seconds s"
echo "old-kernel: the machine ran for $((SECONDS - start)) s"
grep -qx 'status: 0' "$work/console" || die "the check failed"
