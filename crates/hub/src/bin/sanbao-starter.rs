//! Prints where the starter model is, after fetching it when it is not there yet.

use std::io::Write;
use std::process::ExitCode;

use sanbao_hub::Progress;

fn main() -> ExitCode {
    let mut shown = 0;
    let fetched = sanbao_hub::starter_model(&mut |progress| match progress {
        Progress::Asking(source) => eprintln!("Fetching the starter model: {source} …"),
        Progress::Fetched { bytes, total } => {
            let tenth = bytes * 10 / total.max(1);
            if tenth > shown {
                shown = tenth;
                eprintln!("  {} of {} MB", bytes / 1_000_000, total / 1_000_000);
            }
        }
        Progress::Retrying(reason) => eprintln!("  {reason}; trying again"),
        Progress::Failed(reason) => eprintln!("  {reason}"),
    });
    let printed = fetched.map(|path| writeln!(std::io::stdout(), "{}", path.display()));
    match printed {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("The path could not be printed: {error}.");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
