//! The devices of this machine: listing, checking, choosing.

use std::collections::BTreeMap;

use burn::tensor::{Device, DeviceKind};
use sanbao_contract::model::DeviceReport;
use sanbao_models::{TOLERANCE, matmul_gflops, self_check};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Id of the CPU.
pub const CPU: &str = "cpu";

/// Side of the matrices of the speed probe; a software device is too slow for more than the second.
const PROBE_SIDE: usize = 1024;
const SOFTWARE_PROBE_SIDE: usize = 256;

/// A device that can be named.
struct Listed {
    report: DeviceReport,
    kind: Option<DeviceKind>,
}

/// Every device, the CPU first; nothing is measured.
pub fn list() -> Vec<DeviceReport> {
    listed().into_iter().map(|device| device.report).collect()
}

fn listed() -> Vec<Listed> {
    let mut devices = vec![cpu()];
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for adapter in adapters() {
        let (prefix, kind_name, kind): (&str, &str, fn(usize) -> DeviceKind) = match adapter
            .device_type
        {
            wgpu::DeviceType::DiscreteGpu => ("gpu", "discrete", DeviceKind::DiscreteGpu),
            wgpu::DeviceType::IntegratedGpu => ("igpu", "integrated", DeviceKind::IntegratedGpu),
            wgpu::DeviceType::VirtualGpu => ("vgpu", "virtual", DeviceKind::VirtualGpu),
            wgpu::DeviceType::Cpu => ("software", "software", |_| DeviceKind::Cpu),
            wgpu::DeviceType::Other => continue,
        };
        let count = counts.entry(prefix).or_default();
        let report = DeviceReport {
            id: format!("{prefix}:{count}"),
            name: adapter.name.clone(),
            kind: kind_name.to_owned(),
            driver: driver(&adapter),
            memory: if kind_name == "software" { sanbao_train::available_bytes() } else { None },
            self_check: None,
            usable: None,
            gflops: None,
        };
        devices.push(Listed { report, kind: Some(kind(*count)) });
        *count += 1;
    }
    devices
}

fn cpu() -> Listed {
    let brand = sysinfo::System::new().ok().and_then(|mut system| {
        system.refresh_cpu_all();
        system.cpus().first().map(|cpu| cpu.brand().trim().to_owned())
    });
    Listed {
        report: DeviceReport {
            id: CPU.to_owned(),
            name: brand.filter(|name| !name.is_empty()).unwrap_or_else(|| "CPU".to_owned()),
            kind: "cpu".to_owned(),
            driver: String::new(),
            memory: sanbao_train::available_bytes(),
            self_check: Some(0.0),
            usable: Some(true),
            gflops: None,
        },
        kind: None,
    }
}

/// Adapters of the graphics interface that computing uses, in its order.
fn adapters() -> Vec<wgpu::AdapterInfo> {
    let backends =
        if cfg!(target_os = "macos") { wgpu::Backends::METAL } else { wgpu::Backends::VULKAN };
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
        return Vec::new();
    };
    let adapters = runtime.block_on(instance.enumerate_adapters(backends));
    adapters.iter().map(wgpu::Adapter::get_info).collect()
}

fn driver(adapter: &wgpu::AdapterInfo) -> String {
    let version = [adapter.driver.as_str(), adapter.driver_info.as_str()].join(" ");
    format!("{} ({:?})", version.trim(), adapter.backend)
}

/// A device that passed its self-check.
pub struct Opened {
    /// To compute with.
    pub device: Device,
    /// What is known about it.
    pub report: DeviceReport,
}

impl Opened {
    /// Whether it is the CPU.
    pub fn is_cpu(&self) -> bool {
        self.report.id == CPU
    }
}

/// Opens a device by id, or with `auto` the first hardware GPU that computes correctly, and
/// the CPU when there is none. A GPU is checked against the CPU when its driver is first met.
///
/// # Errors
/// When there is no such device, or the one asked for fails its self-check.
pub fn open(id: &str) -> Result<Opened, Error> {
    if id == CPU {
        // Looking for graphics drivers wakes them; the CPU needs none.
        return checked(&cpu());
    }
    let devices = listed();
    if id == "auto" {
        let hardware =
            devices.iter().filter(|d| !matches!(d.report.kind.as_str(), "cpu" | "software"));
        for device in hardware {
            if let Ok(opened) = checked(device) {
                return Ok(opened);
            }
        }
        return open(CPU);
    }
    let known = || devices.iter().map(|d| d.report.id.clone()).collect::<Vec<_>>().join(", ");
    let device = devices
        .iter()
        .find(|device| device.report.id == id)
        .ok_or_else(|| Error::UnknownDevice { asked: id.to_owned(), known: known() })?;
    checked(device)
}

fn checked(listed: &Listed) -> Result<Opened, Error> {
    let mut report = listed.report.clone();
    let Some(kind) = &listed.kind else {
        return Ok(Opened { device: Device::flex(), report });
    };
    let device = Device::wgpu(kind.clone());
    let key = format!("{} | {} | {}", report.name, report.driver, env!("CARGO_PKG_VERSION"));
    let mut remembered = Remembered::read();
    let apart = match remembered.checks.get(&key) {
        Some(apart) => *apart,
        None => {
            let apart = self_check(&device)?;
            remembered.checks.insert(key, apart);
            remembered.write();
            apart
        }
    };
    report.self_check = Some(apart);
    report.usable = Some(apart <= TOLERANCE);
    if apart > TOLERANCE {
        return Err(Error::FailedSelfCheck {
            name: report.name,
            driver: report.driver,
            detail: format!("results differ by {apart:.1e} of their size"),
        });
    }
    Ok(Opened { device, report })
}

/// Everything about a device, measured: the self-check and a short matrix product.
///
/// # Errors
/// As [`open`].
pub fn measure(id: &str) -> Result<DeviceReport, Error> {
    let Opened { device, mut report } = open(id)?;
    let side = if report.kind == "software" { SOFTWARE_PROBE_SIDE } else { PROBE_SIDE };
    report.gflops = Some(matmul_gflops(&device, side)?);
    Ok(report)
}

/// Every device, measured; one that fails is marked as not usable. Graphics drivers that compute on
/// the CPU take most of a minute and are chosen by nobody: they are only listed unless `software`.
pub fn measure_all(software: bool) -> Vec<DeviceReport> {
    let mut devices = list();
    for report in devices.iter_mut().filter(|report| software || report.kind != "software") {
        match measure(&report.id) {
            Ok(measured) => *report = measured,
            Err(error) => {
                report.usable = Some(false);
                eprintln!("{}: {error}", report.id);
            }
        }
    }
    devices
}

/// Self-checks by name, driver and version of this program.
#[derive(Default, Serialize, Deserialize)]
struct Remembered {
    checks: BTreeMap<String, f64>,
}

impl Remembered {
    fn path() -> Option<std::path::PathBuf> {
        sanbao_project::cache_dir().ok().map(|folder| folder.join("self-checks.json"))
    }

    fn read() -> Self {
        Self::path().and_then(|path| sanbao_project::read_json(&path).ok()).unwrap_or_default()
    }

    /// A check that cannot be remembered is made again next time.
    fn write(&self) {
        if let Some(path) = Self::path() {
            let folder = path.parent().map(std::fs::create_dir_all);
            if matches!(folder, Some(Ok(()))) {
                let _ = sanbao_project::write_json(&path, self);
            }
        }
    }
}
